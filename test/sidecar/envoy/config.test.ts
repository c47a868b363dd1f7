import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { tokenizationMesh } from '../../../mesh/tokenization-mesh.ts';
import { readConfig } from '../../../sidecar/envoy/config.ts';
import { taskPlacement } from '../../support/meshes.ts';

const directory = mkdtempSync(join(tmpdir(), 'tokenmesh-config-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const placementFile = join(directory, 'placement.json');
const placement = taskPlacement(tokenizationMesh, 'order');
writeFileSync(placementFile, JSON.stringify(placement));

describe("the sidecar's configuration", () => {
  it('is read from the environment, with a default for all that a task does not need to say', () => {
    const config = readConfig({
      TOKENMESH_NODE: 'order',
      TOKENMESH_PLACEMENT: placementFile,
      TOKENMESH_RUN_DIRECTORY: '/run/tokenmesh',
    });
    expect(config).toEqual({
      nodeName: 'order',
      placement,
      runDirectory: '/run/tokenmesh',
      agentSocket: '/run/tokenmesh/agent.sock',
      envoyBinary: 'envoy',
      envoyConcurrency: 1,
      pollSeconds: 30,
      revocationPollSeconds: 5,
      crlSeconds: 300,
      drainSeconds: 3,
    });
  });

  it('refuses an environment that lacks something, naming everything at once', () => {
    expect(() => readConfig({ TOKENMESH_POLL_SECONDS: 'often' })).toThrow(
      expect.objectContaining({
        code: 'ERR_CONFIG_INVALID',
        message: expect.stringMatching(/NODE.*PLACEMENT.*RUN_DIRECTORY.*POLL_SECONDS/),
      }),
    );
  });

  it('refuses a placement that cannot be read', () => {
    const environment = {
      TOKENMESH_NODE: 'order',
      TOKENMESH_PLACEMENT: directory,
      TOKENMESH_RUN_DIRECTORY: directory,
    };
    expect(() => readConfig(environment)).toThrow(expect.objectContaining({ code: 'ERR_CONFIG_INVALID' }));
  });
});
