import { describe, expect, it } from '@jest/globals';
import {
  lagInServing,
  lagInTrust,
  type NodeServes,
  type NodeTrusts,
} from '../../operator/checks/rollover.ts';

const PROBLEM = { message: 'bundle is empty', remedy: 'write it again' };

const trusts = (facts: Partial<NodeTrusts>): NodeTrusts => ({
  ...{ node: 'order', version: 'v2', problems: [], usesBundle: true, loadedRoots: [['new', 'old']] },
  ...facts,
});

describe('a node in the step of trust', () => {
  it.each<[string, Partial<NodeTrusts>, string | undefined]>([
    ['has come along with both roots, in whatever order', { loadedRoots: [['old', 'new']] }, undefined],
    ['lags while its agent does not answer', { version: undefined }, 'its sidecar does not answer'],
    ['lags for what its agent has against the bundle', { problems: [PROBLEM] }, 'bundle is empty'],
    ['lags while its agent has an older bundle', { version: 'v1' }, 'has not taken'],
    ['lags while its Envoy does not answer', { loadedRoots: undefined }, 'its Envoy does not answer'],
    [
      'lags while one place of its Envoy has an older bundle',
      { loadedRoots: [['new', 'old'], ['old']] },
      'not loaded',
    ],
    ['lags while its Envoy has a root too many', { loadedRoots: [['new', 'old', 'older']] }, 'not loaded'],
    ['lags while its Envoy has the bundle nowhere', { loadedRoots: [] }, 'not loaded'],
    ['has come along where its Envoy uses no such bundle', { loadedRoots: [], usesBundle: false }, undefined],
  ])('%s', (_what, facts, expected) => {
    const lags = lagInTrust(trusts(facts), 'v2', ['new', 'old']);
    expect(lags.map(({ lacks }) => lacks.includes(expected ?? ' ')).join()).toBe(
      expected === undefined ? '' : 'true',
    );
    expect(lags.every(({ node, remedy }) => node === 'order' && remedy !== '')).toBe(true);
  });
});

const serves = (facts: Partial<NodeServes>): NodeServes => ({
  ...{
    node: 'order',
    role: 'client',
    publishedSerial: 'b',
    servedSerial: 'b',
    isOfGeneration: true,
    problems: [],
  },
  ...facts,
});

describe('a node in the step of issue', () => {
  it.each<[string, Partial<NodeServes>, string | undefined]>([
    ['has come along when a new connection shows what is published', {}, undefined],
    [
      'lags while nothing is published for it',
      { publishedSerial: undefined },
      'no client certificate is published',
    ],
    ['lags while its certificate is of the old CA', { isOfGeneration: false }, 'not of the new CA'],
    ['lags while it shows another', { servedSerial: 'a' }, 'does not show its new client certificate'],
    ['lags while it shows none', { servedSerial: undefined }, 'does not show its new client certificate'],
    ['lags for what its agent has against it', { servedSerial: 'a', problems: [PROBLEM] }, 'bundle is empty'],
  ])('%s', (_what, facts, expected) => {
    const lags = lagInServing(serves(facts));
    expect(lags.map(({ lacks }) => lacks.includes(expected ?? ' ')).join()).toBe(
      expected === undefined ? '' : 'true',
    );
  });
});
