import { nameOf, type Logger } from '../../runtime/log.ts';
import type { Table } from './adapters/dynamodb-batches.ts';
import { readHeartbeats, writeHeartbeat } from './adapters/dynamodb-heartbeats.ts';
import type { ReplicationWatch } from './core/replication.ts';

/** From then on somebody has to know: tokens of that region are not found here. As the alarm `replication-behind`. */
export const LAG_TOLD_SECONDS = 60;

export interface HeartbeatParts {
  readonly table: Table;
  readonly regionCode: string;
  readonly watch: ReplicationWatch;
  readonly now: () => Date;
  readonly everyMs: number;
  readonly logger: Logger;
}

/**
 * Writes this region's heartbeat and reads those of the others, again and again. One that fails is told; the next is
 * due as ever. Where there is no other region nothing is written.
 *
 * @returns Stops it, once what is under way has ended.
 */
export function startHeartbeat(parts: HeartbeatParts): () => Promise<void> {
  if (parts.watch.regionCodes.length === 0) return async () => {};
  const late = new Set<string>();
  let underWay: Promise<void> | undefined;
  const beat = (): void => {
    underWay ??= beatOnce(parts, late).finally(() => (underWay = undefined));
  };
  beat();
  const timer = setInterval(beat, parts.everyMs);
  return async () => {
    clearInterval(timer);
    await underWay;
  };
}

async function beatOnce(parts: HeartbeatParts, late: Set<string>): Promise<void> {
  const { table, regionCode, watch, now, logger } = parts;
  try {
    await writeHeartbeat(table, regionCode, now());
    watch.heard(await readHeartbeats(table));
  } catch (error) {
    logger.error({ fault: nameOf(error) }, 'the heartbeat of the region failed');
  }
  for (const code of watch.regionCodes) tellLag(code, watch, late, logger);
}

/** Once when it becomes so, and once when it is over. */
function tellLag(code: string, watch: ReplicationWatch, late: Set<string>, logger: Logger): void {
  const lagSeconds = watch.of(code)?.lagSeconds;
  const isLate = lagSeconds !== undefined && lagSeconds > LAG_TOLD_SECONDS;
  if (isLate && !late.has(code)) {
    late.add(code);
    logger.error({ alarm: 'replication-behind', region: code, lagSeconds }, 'a region is far behind');
  } else if (!isLate && late.delete(code)) {
    logger.info({ region: code, lagSeconds }, 'a region has caught up');
  }
}
