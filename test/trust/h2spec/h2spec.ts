/**
 * h2spec, built from the sums beside this file, and what it finds.
 *
 * @module
 */

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { installDebianPackages } from '../../support/debian-packages.ts';
import { command } from '../../support/running-mesh.ts';

const HERE = import.meta.dirname;
const PACKAGE = 'github.com/summerwind/h2spec/cmd/h2spec';

/** Where Go's own installation puts it, which may not be on the path. */
const GO_PROGRAMS = ['go', '/usr/local/go/bin/go'];

/** @throws Where there is no Go and this is not root, who has it installed. */
async function goProgram(): Promise<string> {
  for (const program of GO_PROGRAMS) {
    const version = await promisify(execFile)(program, ['version']).catch(() => undefined);
    if (version !== undefined) return program;
  }
  await installDebianPackages(['golang-go']);
  return 'go';
}

/** Builds it once for each state of the sums. @returns The program. */
export async function buildH2spec(): Promise<string> {
  const sums = readFileSync(join(HERE, 'go.sum'));
  const key = createHash('sha256').update(sums).digest('hex').slice(0, 12);
  const program = join(HERE, '..', '..', '..', '.tokenmesh', `h2spec-${key}`);
  if (existsSync(program)) return program;
  const env = { ...process.env, GOFLAGS: '-mod=readonly -buildvcs=false', CGO_ENABLED: '0' };
  await promisify(execFile)(await goProgram(), ['build', '-o', program, PACKAGE], { cwd: HERE, env });
  return program;
}

export interface Conformance {
  readonly count: number;
  /** `<section> <test>` */
  readonly failed: readonly string[];
}

/**
 * Holds a listener to RFC 9113 and RFC 7541.
 *
 * @param options - Where it is, and which sections; all unless said.
 */
export async function runH2spec(program: string, options: readonly string[]): Promise<Conformance> {
  const directory = mkdtempSync(join(tmpdir(), 'tokenmesh-h2spec-'));
  try {
    const report = join(directory, 'report.xml');
    await command(program, [...options, '--junit-report', report]);
    return conformanceIn(readFileSync(report, 'utf8'));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function conformanceIn(report: string): Conformance {
  const cases = [
    ...report.matchAll(/<testcase package="([^"]*)" classname="([^"]*)"[^>]*?(\/>|>[^]*?<\/testcase>)/g),
  ];
  const failed = cases.filter(([, , , body = '']) => /<(?:failure|error)\b/.test(body));
  return { count: cases.length, failed: failed.map(([, section, name]) => `${section} ${name}`) };
}
