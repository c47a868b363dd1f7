/**
 * A function as Lambda runs it, in a process of its own: `node lambda-runtime.ts <file>` reads one event
 * from standard input, calls the `handler` of the file, and writes its answer.
 *
 * @module
 */

import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import './layer-modules.ts';

interface Function {
  readonly handler: (event: unknown) => Promise<unknown>;
}

const { handler } = (await import(pathToFileURL(process.argv[2] ?? '').href)) as Function;
// An answer of nothing is `null`, as Lambda has it.
process.stdout.write(JSON.stringify((await handler(JSON.parse(await text(process.stdin)))) ?? null));
