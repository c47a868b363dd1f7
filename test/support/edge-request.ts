import type { KeyObject } from 'node:crypto';
import { readEdgeConfig, type EdgeConfig, type EdgeSettings } from '../../edge/config.ts';
import { encryptRequest } from '../../edge/encrypt-request.ts';
import type { EdgeBody, EdgeEvent, EdgeRequest, EdgeResponse } from '../../edge/event.ts';

export type EdgeRoutes = EdgeSettings['routes'];

/** What a shop takes in at its checkout. */
export const CHECKOUT: EdgeRoutes = [
  {
    methods: ['POST', 'PUT'],
    path: '/orders',
    fields: [
      { name: 'card.number', class: 'pan' },
      { name: 'card.holder', class: 'name' },
      { name: 'ssn', class: 'ssn' },
      { name: 'note', class: 'text' },
    ],
  },
];

export function edgeConfigOf(
  { keyId, publicKey }: { readonly keyId: string; readonly publicKey: KeyObject },
  routes: EdgeRoutes = CHECKOUT,
  tenant = 'shop',
): EdgeConfig {
  const pem = publicKey.export({ format: 'pem', type: 'spki' }).toString();
  return readEdgeConfig(JSON.stringify({ keyId, publicKey: pem, tenant, routes }));
}

export interface AskedAtEdge extends Partial<Pick<EdgeRequest, 'method' | 'uri'>> {
  readonly eventType?: 'viewer-request' | 'origin-request';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Partial<EdgeBody> | null;
}

/** The event that CloudFront hands to the function. */
export function edgeEvent(text: string | Uint8Array, asked: AskedAtEdge = {}): EdgeEvent {
  const headers = { 'content-type': 'application/json', ...asked.headers };
  const body = {
    action: 'read-only',
    encoding: 'base64',
    inputTruncated: false,
    data: Buffer.from(text as string).toString('base64'),
    ...asked.body,
  } as const;
  const request = {
    method: asked.method ?? 'POST',
    uri: asked.uri ?? '/orders',
    headers: Object.fromEntries(Object.entries(headers).map(([key, value]) => [key, [{ key, value }]])),
    ...(asked.body === null ? {} : { body }),
  };
  return { Records: [{ cf: { config: { eventType: asked.eventType ?? 'origin-request' }, request } }] };
}

/** @returns What goes on to the origin as body, or the code of the problem that was answered in place of it. */
export function throughEdge(config: EdgeConfig, event: EdgeEvent): { body: string } | { problem: unknown } {
  const outcome: EdgeRequest | EdgeResponse = encryptRequest(config, event);
  if ('status' in outcome) {
    const { status, code } = JSON.parse(outcome.body) as { status: number; code: string };
    if (String(status) !== outcome.status) throw new Error('expected one status');
    return { problem: code };
  }
  return { body: outcome.body?.data ?? '' };
}
