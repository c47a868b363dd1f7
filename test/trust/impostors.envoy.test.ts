/**
 * Servers that are not the tokenizer, where order's Envoy thinks that it is: two real Envoys under their rendered
 * bootstraps, of which one has ended.
 *
 * @module
 */

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { tokenizationMesh } from '../../mesh/tokenization-mesh.ts';
import { startEnvoyMesh, type EnvoyMesh } from '../support/envoy-mesh.ts';
import { honestServer, IMPOSTOR_ATTACKS, type ImpostorTarget } from './attacks/impostor-attacks.ts';

const DEADLINE_MS = 60_000;

let envoys: EnvoyMesh;
let target: ImpostorTarget;

beforeAll(async () => {
  envoys = await startEnvoyMesh(tokenizationMesh, ['order', 'tokenizer']);
  await envoys.stopEnvoy('tokenizer');
  target = { envoys, port: envoys.nodes['tokenizer']?.placement.listener.port ?? 0 };
}, DEADLINE_MS);

afterAll(async () => await envoys?.stop());

describe('a server that order calls', () => {
  it(
    'is sent the request where it proves its name',
    async () => {
      expect(await honestServer(target)).toBe('200, a request sent');
    },
    DEADLINE_MS,
  );

  it.each(IMPOSTOR_ATTACKS)(
    '$what: $promised',
    async ({ attempt, seen }) => {
      expect(await attempt(target)).toBe(seen);
    },
    DEADLINE_MS,
  );
});
