import { describe, expect, it } from '@jest/globals';
import { edgesReport, withRates } from '../../operator/edges.ts';
import type { EdgeTraffic } from '../../operator/facts/edge-traffic.ts';

const COUNTED = {
  requests: 10,
  denied: 1,
  failed: 0,
  handshakes: 2,
  handshakesFailed: 0,
  connectionsFailed: 0,
  tls: ['TLSv1.3'],
};

const edge = (counted: EdgeTraffic['counted']): EdgeTraffic => ({
  from: 'order',
  to: 'tokenizer',
  mode: 'mtls',
  isExternal: false,
  counted,
  listener: { handshakes: 5, noCertificate: 0, refused: 1, denied: 2 },
});

describe('what goes over an edge', () => {
  it('is what was counted between two looks', () => {
    const after = { ...COUNTED, requests: 30, failed: 4, connectionsFailed: 2 };
    expect(withRates([edge(COUNTED)], [edge(after)], 4)[0]).toMatchObject({
      requestsPerSecond: 5,
      failuresPerSecond: 1.5,
    });
  });

  it.each([
    ['after its Envoy was started again', COUNTED, { ...COUNTED, requests: 3 }],
    ['where its Envoy did not answer', undefined, COUNTED],
    ['where its Envoy does not answer any more', COUNTED, undefined],
  ])('is not known %s', (_when, before, after) => {
    expect(withRates([edge(before)], [edge(after)], 4)[0]?.requestsPerSecond).toBeUndefined();
  });

  it('says where an Envoy does not answer', () => {
    expect(edgesReport(withRates([], [edge(undefined)], 1))).toContain('does not answer');
  });
});
