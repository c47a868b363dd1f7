import { execFile } from 'node:child_process';
import { arch, availableParallelism, cpus, release, totalmem } from 'node:os';
import { promisify } from 'node:util';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly system: string;
  readonly node: string;
  readonly envoy: string;
}

export async function describeMachine(envoyBinary: string): Promise<Machine> {
  const { stdout } = await promisify(execFile)(envoyBinary, ['--version']);
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 1_000_000_000),
    system: `${process.platform} ${release()} ${arch()}`,
    node: process.version,
    envoy: /\/(\d+\.\d+\.\d+)/.exec(stdout)?.[1] ?? 'unknown',
  };
}
