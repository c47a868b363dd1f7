import { TokenmeshError } from '../errors/error.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What fits into `sockaddr_un.sun_path` everywhere: 104 bytes on macOS, 108 on Linux, with the zero at the end. */
const SOCKET_PATH_MAX_BYTES = 103;

/** A setting that is a text: which ones are taken, and in what words that is said. */
export interface TextRule {
  readonly pattern: RegExp;
  readonly expected: string;
  readonly fallback?: string;
}

export interface IntegerRule {
  readonly min: number;
  readonly max: number;
  readonly fallback?: number;
}

/**
 * Reads a program's settings and collects what is wrong with them, so that all of it is said at once.
 *
 * What a read returns is to be used only after {@link Settings.check}.
 */
export class Settings {
  readonly #environment: Environment;
  readonly #problems: string[] = [];

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  socketPath(name: string): string {
    const path = this.#environment[name] ?? '';
    if (!path.startsWith('/') || Buffer.byteLength(path) > SOCKET_PATH_MAX_BYTES) {
      this.#problem(name, `an absolute path of at most ${SOCKET_PATH_MAX_BYTES} bytes`);
    }
    return path;
  }

  text(name: string, rule: TextRule): string {
    const value = this.#environment[name] ?? rule.fallback ?? '';
    if (!rule.pattern.test(value)) this.#problem(name, rule.expected);
    return value;
  }

  integer(name: string, rule: IntegerRule): number {
    const text = this.#environment[name] ?? String(rule.fallback ?? '');
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= rule.min && value <= rule.max)) {
      this.#problem(name, `an integer from ${rule.min} to ${rule.max}`);
    }
    return value;
  }

  /** @throws {TokenmeshError} `ERR_SETTINGS_INVALID` with every problem found so far. */
  check(): void {
    if (this.#problems.length === 0) return;
    throw new TokenmeshError({
      code: 'ERR_SETTINGS_INVALID',
      message: this.#problems.join('; '),
      remedy: 'set the named environment variables and start again',
    });
  }

  /** Says the shape of what was found, not the value: a secret may have been put in the wrong variable. */
  #problem(name: string, expected: string): void {
    const value = this.#environment[name];
    const got = value === undefined ? 'nothing' : `a text of ${value.length} characters`;
    this.#problems.push(`${name}: expected ${expected}, got ${got}`);
  }
}
