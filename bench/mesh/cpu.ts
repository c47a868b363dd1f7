/**
 * What a process used of the machine, as Linux tells it. Elsewhere the bench does not run.
 *
 * @module
 */

import { readdirSync, readFileSync } from 'node:fs';

/**
 * CPU microseconds of a process's threads since they began: to the nanosecond, which /proc/<pid>/stat with
 * its ticks of ten milliseconds is not (Documentation/scheduler/sched-stats.rst). A thread that has ended is
 * not in it; those of Envoy and of Node stay.
 */
export function cpuMicroseconds(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.reduce((sum, thread) => sum + nanosecondsOf(pid, thread) / 1_000, 0);
}

function nanosecondsOf(pid: number, thread: string): number {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ')[0]);
  } catch {
    // It ended in between.
    return 0;
  }
}

/** USER_HZ: 100 on every Linux that Node runs on (man 5 proc). */
const TICK_MICROSECONDS = 10_000;

/** What all processors did since the machine was started, whoever it was for: idle and waiting is not in it. */
export function machineBusyMicroseconds(): number {
  const [user, nice, system, , , irq, softirq, steal] = readFileSync('/proc/stat', 'latin1')
    .slice('cpu '.length)
    .trimStart()
    .split(' ')
    .map(Number);
  const busy = [user, nice, system, irq, softirq, steal].reduce<number>((sum, each) => sum + (each ?? 0), 0);
  return busy * TICK_MICROSECONDS;
}

/** What of its memory is in RAM, in MB of a million bytes. */
export function residentMegabytes(pid: number): number {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
  return (Number(kibibytes) * 1_024) / 1_000_000;
}

export type Pids = Readonly<Record<string, number>>;

export function cpuOf(pids: Pids): Record<string, number> {
  return Object.fromEntries(Object.entries(pids).map(([name, pid]) => [name, cpuMicroseconds(pid)]));
}

export function differences(
  before: Readonly<Record<string, number>>,
  after: Readonly<Record<string, number>>,
): Record<string, number> {
  return Object.fromEntries(
    Object.entries(after).map(([name, value]) => [name, value - (before[name] ?? 0)]),
  );
}
