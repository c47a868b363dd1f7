import type { PartName, ResultStore } from '../../queue/ports.ts';
import type { ResultLine } from '../../queue/results.ts';

/** The results of loads, in memory. */
export class MemoryResults implements ResultStore {
  readonly #parts = new Map<string, readonly ResultLine[]>();

  async has(name: PartName): Promise<boolean> {
    return this.#parts.has(keyOf(name));
  }

  async insert(name: PartName, lines: readonly ResultLine[]): Promise<'stored' | 'exists'> {
    if (this.#parts.has(keyOf(name))) return 'exists';
    this.#parts.set(keyOf(name), structuredClone(lines));
    return 'stored';
  }

  async list(load: string): Promise<readonly number[]> {
    return [...this.#parts.keys()]
      .filter((key) => key.startsWith(`${load} `))
      .map((key) => Number(key.split(' ')[1]));
  }

  async read(name: PartName): Promise<readonly ResultLine[]> {
    return this.#parts.get(keyOf(name)) ?? [];
  }
}

function keyOf({ load, part }: PartName): string {
  return `${load} ${part}`;
}
