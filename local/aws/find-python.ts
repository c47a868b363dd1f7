import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { TokenmeshError } from '../../errors/error.ts';

/** The oldest Python that the pinned packages run on. */
const OLDEST: readonly [number, number] = [3, 10];

const COMMANDS = ['python3', 'python3.13', 'python3.12', 'python3.11', 'python3.10'];

const PROBE_DEADLINE_MS = 15_000;

export interface Python {
  /** Absolute: what the command resolved to, through version managers and links on the path. */
  readonly executable: string;
  readonly version: readonly [number, number, number];
  /** Some distributions leave venv, or the pip that it installs, to a package of its own. */
  readonly hasVenv: boolean;
}

/** Asks a command what Python it is; undefined where it is none, or does not run. */
export type ProbePython = (command: string) => Promise<Python | undefined>;

/**
 * The first Python that will do: `PYTHON` of the environment and no other where it is set, else the usual
 * names in order.
 *
 * @throws {TokenmeshError} `ERR_PYTHON_MISSING`, or `ERR_PYTHON_VENV_MISSING` where one is there but cannot
 *   make an environment.
 */
export async function findPython(env: NodeJS.ProcessEnv, probe: ProbePython = probePython): Promise<Python> {
  const chosen = env['PYTHON'];
  const commands = chosen === undefined || chosen === '' ? COMMANDS : [chosen];
  let withoutVenv: Python | undefined;
  const found: string[] = [];
  for (const command of commands) {
    const python = await probe(command);
    if (python === undefined) continue;
    found.push(`${command} ${python.version.join('.')}`);
    if (!isNewEnough(python)) continue;
    if (python.hasVenv) return python;
    withoutVenv ??= python;
  }
  if (withoutVenv !== undefined) throw venvMissing(withoutVenv);
  throw pythonMissing(commands, found);
}

function isNewEnough({ version: [major, minor] }: Python): boolean {
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
}

function pythonMissing(commands: readonly string[], found: readonly string[]): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_PYTHON_MISSING',
    message: `no usable Python: expected ${OLDEST.join('.')} or newer as ${commands.join(', ')}, got ${found.length === 0 ? 'none' : found.join(', ')}`,
    remedy: `install Python ${OLDEST.join('.')} or newer, or name one: PYTHON=/path/to/python3 npm start`,
  });
}

function venvMissing(python: Python): TokenmeshError {
  const [major, minor] = python.version;
  return new TokenmeshError({
    code: 'ERR_PYTHON_VENV_MISSING',
    message: `${python.executable} cannot make an environment: expected its modules venv and ensurepip, got none`,
    remedy: `install them (Debian, Ubuntu: apt install python${major}.${minor}-venv), or name another Python: PYTHON=/path/to/python3 npm start`,
  });
}

const PROBE = `
import importlib.util, json, sys
print(json.dumps({
    "executable": sys.executable,
    "version": list(sys.version_info[:3]),
    "hasVenv": all(importlib.util.find_spec(name) for name in ("venv", "ensurepip")),
}))
`;

async function probePython(command: string): Promise<Python | undefined> {
  try {
    const { stdout } = await promisify(execFile)(command, ['-I', '-c', PROBE], {
      timeout: PROBE_DEADLINE_MS,
    });
    return JSON.parse(stdout) as Python;
  } catch {
    return undefined;
  }
}
