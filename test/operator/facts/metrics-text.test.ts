import { describe, expect, it } from '@jest/globals';
import { quantileOf, readMetrics } from '../../../operator/facts/metrics-text.ts';

describe('metrics as text', () => {
  it('are read with their labels, and comments are not', () => {
    const text = [
      '# HELP a_total A.',
      'a_total{route="/v1/tokens",note="a \\"b\\", c=\\"d\\""} 3',
      'b_seconds 0.5',
      'c_bucket{le="+Inf"} 7',
      '',
    ].join('\n');
    expect(readMetrics(text)).toEqual([
      { name: 'a_total', labels: { route: '/v1/tokens', note: 'a \\"b\\", c=\\"d\\"' }, value: 3 },
      { name: 'b_seconds', labels: {}, value: 0.5 },
      { name: 'c_bucket', labels: { le: '+Inf' }, value: 7 },
    ]);
  });
});

describe('a quantile', () => {
  const buckets = new Map([
    [0.01, 50],
    [0.1, 90],
    [1, 100],
    [Number.POSITIVE_INFINITY, 100],
  ]);

  it.each([
    [0.25, 0.005],
    [0.5, 0.01],
    [0.9, 0.1],
    [0.99, 0.91],
  ])('%s lies evenly within its bucket', (quantile, expected) => {
    expect(quantileOf(buckets, quantile)).toBeCloseTo(expected, 6);
  });

  it('is the last finite bound where it lies above it', () => {
    const slow = new Map([...buckets, [Number.POSITIVE_INFINITY, 1_000]]);
    expect(quantileOf(slow, 0.99)).toBe(1);
  });

  it('is none of nothing', () => {
    expect(quantileOf(new Map([[Number.POSITIVE_INFINITY, 0]]), 0.5)).toBeUndefined();
    expect(quantileOf(new Map(), 0.5)).toBeUndefined();
  });
});
