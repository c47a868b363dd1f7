import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { startCommand } from '../../local/start-command.ts';
import { tokenizationMesh } from '../../mesh/tokenization-mesh.ts';
import { createProgram } from '../../operator/program.ts';
import { cliPage } from '../support/cli-page.ts';
import { ROOT, textOf } from '../support/documents.ts';

const nothingRuns = (): never => {
  throw new Error('expected no command to be run');
};

const program = createProgram('mesh', {
  mesh: tokenizationMesh,
  stateFile: nothingRuns,
  runningMesh: nothingRuns,
  print: nothingRuns,
});

describe('docs/cli.md', () => {
  it('is what the programs read', () => {
    const page = cliPage(startCommand(), program);
    if (process.env['UPDATE_GOLDENS'] === '1') writeFileSync(join(ROOT, 'docs/cli.md'), page);
    expect(textOf('docs/cli.md')).toBe(page);
  });
});
