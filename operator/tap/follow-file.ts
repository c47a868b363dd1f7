import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_EVERY_MS = 100;
const CHUNK_BYTES = 65_536;

export interface FollowOptions {
  readonly signal: AbortSignal;
  /** What stands in the file already is given too. */
  readonly fromStart?: boolean;
  /** Called once nothing that is written from then on can be missed. */
  readonly onOpen?: () => void;
}

/**
 * The whole lines that are written to a file, as they come, some at a time; ends with the signal.
 *
 * A line is given once its end is written, so that none is cut.
 */
export async function* followFile(
  path: string,
  { signal, fromStart = false, onOpen }: FollowOptions,
): AsyncGenerator<readonly string[]> {
  const file = await open(path);
  try {
    let position = fromStart ? 0 : (await file.stat()).size;
    onOpen?.();
    let rest = Buffer.alloc(0);
    while (!signal.aborted) {
      const { bytesRead, buffer } = await file.read({ buffer: Buffer.alloc(CHUNK_BYTES), position });
      if (bytesRead === 0) {
        await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
        continue;
      }
      position += bytesRead;
      const text = Buffer.concat([rest, buffer.subarray(0, bytesRead)]);
      const end = text.lastIndexOf('\n') + 1;
      rest = text.subarray(end);
      if (end > 0) yield text.subarray(0, end).toString('utf8').trimEnd().split('\n');
    }
  } finally {
    await file.close();
  }
}
