import { stripTypeScriptTypes } from 'node:module';

/** Turns TypeScript into JavaScript by dropping its types, as Node itself does when it runs our services. */
export default {
  process(source) {
    return { code: stripTypeScriptTypes(source) };
  },
};
