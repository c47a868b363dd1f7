import { seededRandom } from '../../local/seeded-random.ts';
import type { Below } from './mutate.ts';

export function seededBelow(seed: number): Below {
  const bytes = seededRandom(seed);
  return (bound) => (bound === 0 ? 0 : Buffer.from(bytes(4)).readUInt32BE() % bound);
}
