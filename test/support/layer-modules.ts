/**
 * For `node --import`: finds what `import` asks for in NODE_PATH too. Node does so for `require` alone,
 * Lambda's runtime for both: that is how a function finds its layer.
 *
 * @module
 */

import { registerHooks } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const layer = pathToFileURL(`${resolve(process.env['NODE_PATH'] ?? '.', '..')}/`).href;

registerHooks({
  resolve(specifier, context, next) {
    try {
      return next(specifier, context);
    } catch (error) {
      if (/^[./]|:/.test(specifier)) throw error;
      return next(specifier, { ...context, parentURL: layer });
    }
  },
});
