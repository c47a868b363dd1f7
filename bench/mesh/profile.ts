/**
 * Where the tokenizer's main thread spends its time under load: V8's own samples, by the part of the code.
 *
 * @module
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const PROJECT_ROOT = join(import.meta.dirname, '..', '..');
const SHOWN_FUNCTIONS = 15;

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
}

interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[];
  /** Microseconds of the machine's monotonic clock, which `process.hrtime` reads too. */
  readonly startTime: number;
}

export interface ProfiledShare {
  readonly name: string;
  /** Of all the time that the thread was not idle. */
  readonly share: number;
}

export interface ProfileResult {
  readonly tokens: number;
  readonly parts: readonly ProfiledShare[];
  readonly functions: readonly ProfiledShare[];
}

/** What `process.hrtime` says now, in microseconds. */
export function monotonicUs(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}

/**
 * @param directory - Where `node --cpu-prof` wrote; that of the main thread has the thread id 0.
 * @param loadUs - When the load began, of {@link monotonicUs}: what goes before is loading the code, for the most.
 * @throws {RangeError} where no sample is of the load.
 */
export function readProfile(directory: string, tokens: number, loadUs: number): ProfileResult {
  const file = readdirSync(directory).find((name) => /\.\d+\.0\.\d+\.cpuprofile$/.test(name));
  if (file === undefined) throw new RangeError('the tokenizer wrote no profile');
  const profile = JSON.parse(readFileSync(join(directory, file), 'utf8')) as CpuProfile;
  return {
    tokens,
    parts: sharesBy(profile, loadUs, partOf),
    functions: sharesBy(profile, loadUs, functionOf).slice(0, SHOWN_FUNCTIONS),
  };
}

function sharesBy(
  { nodes, samples, timeDeltas, startTime }: CpuProfile,
  loadUs: number,
  nameOf: (node: ProfileNode) => string,
): ProfiledShare[] {
  const names = new Map(nodes.map((node) => [node.id, nameOf(node)]));
  const times = new Map<string, number>();
  let busy = 0;
  let at = startTime;
  for (const [index, id] of samples.entries()) {
    const name = names.get(id) ?? '';
    const time = timeDeltas[index] ?? 0;
    at += time;
    if (name === '' || at < loadUs) continue;
    busy += time;
    times.set(name, (times.get(name) ?? 0) + time);
  }
  if (busy === 0) throw new RangeError('the profile has no sample of the load: expected some seconds of it');
  const shares = [...times].map(([name, time]) => ({ name, share: time / busy }));
  return shares.toSorted((a, b) => b.share - a.share);
}

/** A package, a folder of ours, or what Node does itself. Empty for what is no work. */
function partOf({ callFrame }: ProfileNode): string {
  const { functionName, url } = callFrame;
  if (/^\((?:idle|root)\)$/.test(functionName)) return '';
  if (functionName === '(garbage collector)') return 'garbage collection';
  if (url === '') return 'native (system calls, crypto, buffers)';
  if (url.startsWith('node:')) return `node: ${/^node:(?:internal\/)?(\w+)/.exec(url)?.[1] ?? 'core'}`;
  const path = pathOf(url);
  const packaged = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1];
  if (packaged !== undefined) return packaged;
  return path.split('/').slice(0, -1).slice(0, 5).join('/');
}

function functionOf({ callFrame }: ProfileNode): string {
  const { functionName, url, lineNumber } = callFrame;
  if (/^\((?:idle|root)\)$/.test(functionName)) return '';
  const name = functionName === '' ? '(anonymous)' : functionName;
  return url === '' ? name : `${name} ${pathOf(url)}:${lineNumber + 1}`;
}

function pathOf(url: string): string {
  return url.startsWith('file://') ? relative(PROJECT_ROOT, url.slice('file://'.length)) : url;
}
