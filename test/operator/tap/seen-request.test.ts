import { describe, expect, it } from '@jest/globals';
import { tokenizationMesh as mesh } from '../../../mesh/tokenization-mesh.ts';
import { tapLine } from '../../../operator/tap.ts';
import { seenRequest } from '../../../operator/tap/seen-request.ts';

const ENTRY = {
  time: '2026-11-25T15:32:24.248Z',
  direction: 'inbound',
  route: 'tokens.create',
  status: 201,
  details: 'via_upstream',
  flags: '-',
  durationMs: 19,
  peer: 'order.tokenmesh.internal',
  peerSerial: '5807e74c5893b78e',
  requestId: '84c933fe-0ad2-4283-b563-b70b0170bcbe',
  tls: 'TLSv1.3',
  upstream: 'app',
};

const seen = (changes: object = {}) =>
  seenRequest(mesh, 'tokenizer', JSON.stringify({ ...ENTRY, ...changes }));

describe('a line of the access log', () => {
  it('tells who asked for what, how it ended, and the rule that let it through', () => {
    expect(seen()).toEqual({
      at: ENTRY.time,
      node: 'tokenizer',
      direction: 'inbound',
      peer: 'order',
      operation: { name: 'tokens.create', method: 'POST', path: '/v1/tokens' },
      mesh: { verdict: 'allowed', rule: 'tokens.create' },
      status: 201,
      durationMs: 19,
      requestId: ENTRY.requestId,
    });
  });

  it.each([
    ['rbac_access_denied_matched_policy[none]', 'none'],
    ['rbac_access_denied_matched_policy[revoked]', 'deny list'],
    ['rbac_access_denied_matched_policy[token:not-for-this-gateway]', 'token'],
    ['rbac_access_denied_matched_policy[scope:orders.create]', 'scope'],
    ['jwt_authn_access_denied{Jwt_is_missing}', 'token'],
    ['local_rate_limited', 'rate'],
  ])('tells who denied it: %s', (details, rule) => {
    expect(seen({ status: 403, details })?.mesh).toEqual({ verdict: 'denied', rule });
  });

  it('takes nothing over that a caller could have chosen', () => {
    const canary = '4111111111111111';
    const line = seen({ route: canary, peer: canary, requestId: canary, flags: canary, details: canary });
    expect(line).toMatchObject({ peer: 'outside', status: 201 });
    expect(JSON.stringify(line)).not.toContain(canary);
    expect(seen({ time: canary })).toBeUndefined();
    expect(seen({ status: canary })).toBeUndefined();
    expect(seen({ direction: canary })).toBeUndefined();
  });

  it('names the service of what goes out, and no path', () => {
    const out = { direction: 'egress', route: 'tokenizer', peer: null, status: 503, flags: 'UF' };
    expect(seenRequest(mesh, 'order', JSON.stringify({ ...ENTRY, ...out }))).toMatchObject({
      direction: 'outbound',
      peer: 'tokenizer',
      flags: 'UF',
    });
  });

  it('is none where the agent says something, and where it was cut', () => {
    expect(seenRequest(mesh, 'order', '{"level":"info","msg":"certificate is served"}')).toBeUndefined();
    expect(seenRequest(mesh, 'order', JSON.stringify(ENTRY).slice(0, -3))).toBeUndefined();
    expect(seenRequest(mesh, 'order', '')).toBeUndefined();
  });

  it('is printed on one line', () => {
    const request = seen();
    if (request === undefined) throw new Error('expected a request');
    const line = tapLine({ ...request, policy: { outcome: 'ok', ids: ['order.tokenize'] } });
    expect(line.split(/\s{2,}/)).toEqual([
      '15:32:24.248',
      '<- order',
      'POST /v1/tokens',
      '201',
      '19 ms',
      'mesh allowed: tokens.create',
      'policy ok: order.tokenize',
    ]);
  });
});
