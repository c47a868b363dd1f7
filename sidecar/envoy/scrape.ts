import { request } from 'undici';
import type { Placement } from '../../mesh/envoy/types.ts';
import { reachAdmin } from './reach-admin.ts';

const DEADLINE_MS = 3_000;

/** @returns The text; empty where nothing answers, or not with metrics. */
export async function scrape(from: Placement['admin'], path: string): Promise<string> {
  const { url, dispatcher } = reachAdmin(from);
  try {
    const { statusCode, body } = await request(`${url}${path}`, { dispatcher, headersTimeout: DEADLINE_MS });
    const text = await body.text();
    return statusCode === 200 ? text : '';
  } catch {
    return '';
  } finally {
    await dispatcher.close();
  }
}
