import { describe } from '@jest/globals';
import { markKeysContract } from '../../../../contracts/mark-keys.contract.ts';
import { MemoryMarkKeys } from '../../../../fakes/memory-mark-keys.ts';

describe('keys of marks in memory', () => {
  const keys = new MemoryMarkKeys();
  const known = [keys.create(), keys.create()] as const;
  const other = new MemoryMarkKeys().create();
  markKeysContract(() => ({
    keys,
    known,
    other,
    async down(run) {
      keys.isDown = true;
      try {
        return await run();
      } finally {
        keys.isDown = false;
      }
    },
  }));
});
