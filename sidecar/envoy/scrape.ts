import { Agent, request } from 'undici';
import type { Placement } from '../../mesh/envoy/types.ts';

const DEADLINE_MS = 3_000;

/** @returns The text; empty where nothing answers, or not with metrics. */
export async function scrape(from: Placement['admin'], path: string): Promise<string> {
  const dispatcher = new Agent('socket' in from ? { connect: { socketPath: from.socket } } : {});
  const base = 'socket' in from ? 'http://metrics' : `http://${from.host}:${from.port}`;
  try {
    const { statusCode, body } = await request(`${base}${path}`, { dispatcher, headersTimeout: DEADLINE_MS });
    const text = await body.text();
    return statusCode === 200 ? text : '';
  } catch {
    return '';
  } finally {
    await dispatcher.close();
  }
}
