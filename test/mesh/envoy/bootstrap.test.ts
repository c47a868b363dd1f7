import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { renderBootstrap } from '../../../mesh/envoy/bootstrap.ts';
import { tokenizationMesh } from '../../../mesh/tokenization-mesh.ts';
import { taskPlacement } from '../../support/meshes.ts';
import { GOLDENS } from './goldens.ts';

const DIRECTORY = join(import.meta.dirname, '../../golden/envoy');

/** Set to write the golden files anew; the diff is then the thing to review. */
const UPDATE = process.env['UPDATE_GOLDENS'] === '1';

describe('the Envoy target', () => {
  it.each(Object.keys(GOLDENS))('renders %s as its golden file says', (name) => {
    const text = `${JSON.stringify(GOLDENS[name]?.(), null, 2)}\n`;
    const file = join(DIRECTORY, `${name}.json`);
    if (UPDATE) writeFileSync(file, text);
    expect(text).toBe(readFileSync(file, 'utf8'));
  });

  it('has no golden file that nothing renders', () => {
    expect(readdirSync(DIRECTORY).sort()).toEqual(
      Object.keys(GOLDENS)
        .map((name) => `${name}.json`)
        .sort(),
    );
  });

  it('puts nothing that a caller wrote in an access log: no path, which may hold a token, and no method', () => {
    const logs =
      JSON.stringify(GOLDENS['tokenizer-as-shipped']?.()).match(/"json_format":\{"time".*?\}/g) ?? [];
    expect(logs.length).toBe(2);
    for (const log of logs)
      expect(log).not.toMatch(/:PATH|:METHOD|:AUTHORITY|REQUESTED_SERVER|QUERY|USER-AGENT/i);
  });

  it('refuses a node that the mesh does not have', () => {
    const placement = taskPlacement(tokenizationMesh, 'order');
    expect(() => renderBootstrap(tokenizationMesh, 'oder', placement)).toThrow(
      expect.objectContaining({ code: 'ERR_NODE_UNKNOWN' }),
    );
  });

  it('refuses a placement that lacks a backend', () => {
    const placement = { ...taskPlacement(tokenizationMesh, 'order'), endpoints: {} };
    expect(() => renderBootstrap(tokenizationMesh, 'order', placement)).toThrow(
      expect.objectContaining({ code: 'ERR_ENDPOINT_MISSING' }),
    );
  });
});
