import { describe, expect, it } from '@jest/globals';
import type { Figure } from '../../bench/mesh/figures.ts';
import { command } from '../support/running-mesh.ts';

const DEADLINE_MS = 300_000;

describe('npm run bench -- certificates', () => {
  it(
    'rotates, swaps and rolls a CA over at 500 requests a second, and no request fails',
    async () => {
      const { code, stdout, stderr } = await command('npm', [
        ...['run', '--silent', 'bench', '--', 'certificates', '--quick', '--json'],
      ]);
      expect({ code, stderr }).toMatchObject({ code: 0 });
      const { figures } = JSON.parse(stdout) as { figures: Figure[] };
      const failed = figures.find(({ id }) => id === 'requests-failed');
      expect(failed).toMatchObject({ value: 0, unit: 'requests' });
      expect(failed?.baseline.value).toBeGreaterThan(5_000);
      expect(figures.map(({ id }) => id)).toEqual(
        expect.arrayContaining([
          'rotate-median',
          'sds-to-handshake-worst',
          'file-to-handshake-worst',
          'rollover-clients',
          'deny-list-to-refusal-worst',
          'crl-to-refusal-worst',
        ]),
      );
    },
    DEADLINE_MS,
  );
});
