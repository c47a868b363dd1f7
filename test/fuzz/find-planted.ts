/** Fuzzes what has a fault for certain: prints the input that it was found by. */

import { seededBelow } from './below.ts';
import { fuzz } from './fuzzing.ts';
import { planted } from './planted.ts';

const isPlanted = (url: string): boolean => url.endsWith('/planted.ts');
const { failure } = await fuzz({ seeds: ['abcd'], run: planted }, 60_000, seededBelow(1), isPlanted);
process.stdout.write(`${failure?.input.subarray(0, 4).toString() ?? 'not found'}\n`);
