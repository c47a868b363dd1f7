import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { renderSource } from '../../../mesh/certificate-source.ts';
import { tokenizationMesh } from '../../../mesh/tokenization-mesh.ts';
import { readConfig } from '../../../sidecar/envoy/config.ts';
import { taskPlacement } from '../../../mesh/envoy/task-placement.ts';
import { withNode } from '../../support/meshes.ts';

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
      certificateSource: { kind: 'acm-export' },
      drainSeconds: 3,
    });
  });

  it('takes the placement itself, where there is no file to name', () => {
    const config = readConfig({
      TOKENMESH_NODE: 'order',
      TOKENMESH_PLACEMENT: JSON.stringify(placement),
      TOKENMESH_RUN_DIRECTORY: '/run/tokenmesh',
    });
    expect(config.placement).toEqual(placement);
  });

  it('refuses an environment that lacks something, naming everything at once', () => {
    expect(() => readConfig({ TOKENMESH_POLL_SECONDS: 'often' })).toThrow(
      expect.objectContaining({
        code: 'ERR_CONFIG_INVALID',
        message: expect.stringMatching(/NODE.*PLACEMENT.*RUN_DIRECTORY.*POLL_SECONDS/),
      }),
    );
  });

  const withSource = (source: string) =>
    readConfig({
      TOKENMESH_NODE: 'order',
      TOKENMESH_PLACEMENT: placementFile,
      TOKENMESH_RUN_DIRECTORY: directory,
      TOKENMESH_CERTIFICATE_SOURCE: source,
    }).certificateSource;

  it("takes the certificates' source as the definition of the mesh renders it", () => {
    const rendered = renderSource(
      withNode('order', (node) => ({
        ...node,
        certificateSource: { kind: 'short-lived', lifeSeconds: 86_400, tasksAtMost: 10 },
      })),
      'order',
      { clients: 'arn:1', servers: 'arn:2' },
    );
    expect(rendered.kind).toBe('short-lived');
    expect(withSource(JSON.stringify(rendered))).toEqual(rendered);
    expect(withSource('{"kind":"acm-export"}')).toEqual({ kind: 'acm-export' });
  });

  it.each([
    'short-lived',
    '{}',
    'null',
    '{"kind":"short-lived","lifeSeconds":60,"fleetTasks":1}',
    '{"kind":"short-lived","lifeSeconds":0,"fleetTasks":1,"authorities":{"client":"a","server":"b"}}',
  ])('refuses %p as a source', (source) => {
    expect(() => withSource(source)).toThrow(
      expect.objectContaining({ code: 'ERR_CONFIG_INVALID', message: expect.stringContaining('SOURCE') }),
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
