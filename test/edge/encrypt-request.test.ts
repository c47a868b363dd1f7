import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { readEdgeConfig } from '../../edge/config.ts';
import { encryptRequest } from '../../edge/encrypt-request.ts';
import { marksIn, parseMark } from '../../sidecar/tokenizer/core/marks/mark.ts';
import { openMark } from '../../sidecar/tokenizer/core/marks/opening.ts';
import { MemoryMarkKeys } from '../fakes/memory-mark-keys.ts';
import { CHECKOUT, edgeConfigOf, edgeEvent, throughEdge, type AskedAtEdge } from '../support/edge-request.ts';

const PAN = '4111111111111111';
const keys = new MemoryMarkKeys();
const config = edgeConfigOf(keys.create());

function encrypted(text: string | Uint8Array, asked?: AskedAtEdge): string {
  const outcome = throughEdge(config, edgeEvent(text, asked));
  if ('problem' in outcome) throw new Error(String(outcome.problem));
  return outcome.body;
}

function refusal(text: string | Uint8Array, asked?: AskedAtEdge): unknown {
  const outcome = throughEdge(config, edgeEvent(text, asked));
  return 'problem' in outcome ? outcome.problem : outcome;
}

/** The text with each mark opened, as `class=value`. */
async function opened(text: string): Promise<string> {
  let left = text;
  for (const { text: mark } of marksIn(text)) {
    const content = await openMark(keys, mark, 'shop');
    left = left.replace(mark, `${content.class}=${content.value}`);
  }
  return left;
}

describe('a request at the edge', () => {
  it('goes on with its fields encrypted, and with every other byte as it was', async () => {
    const text = `{ "total": 12345678901234567890.10, "card": {"number": "${PAN}", "cvv":"none"},\n\t"holder": "é"}`;
    const body = encrypted(text);
    expect(body).not.toContain(PAN);
    expect(await opened(body)).toBe(text.replace(PAN, `pan=${PAN}`));
  });

  it.each([
    ['nested', `{"order":{"card":{"number":"${PAN}"}}}`, `{"order":{"card":{"number":"pan=${PAN}"}}}`],
    [
      'repeated in objects of an array',
      `[{"card":{"number":"${PAN}"}},{"card":{"number":"5555"}}]`,
      `[{"card":{"number":"pan=${PAN}"}},{"card":{"number":"pan=5555"}}]`,
    ],
    ['an array', '{"ssn":["1","2",[3]]}', '{"ssn":["ssn=1","ssn=2",["ssn=3"]]}'],
    ['a number, as it is written', '{"ssn":123456789012345678901}', '{"ssn":"ssn=123456789012345678901"}'],
    ['under a name with escapes', String.raw`{"s\u0073n":"1"}`, String.raw`{"s\u0073n":"ssn=1"}`],
    ['with escapes', String.raw`{"note":"a\nb"}`, '{"note":"text=a\nb"}'],
    ['empty', '{"ssn":""}', '{"ssn":"ssn="}'],
    ['null, which stays', '{"ssn":null}', '{"ssn":null}'],
    ['of a name that is no field here, which stays', '{"number":"1"}', '{"number":"1"}'],
  ])('encrypts a field that is %s', async (_, text, expected) => {
    expect(await opened(encrypted(text))).toBe(expected);
  });

  it('leaves what is encrypted already', () => {
    const once = encrypted(`{"ssn":"1"}`);
    expect(encrypted(once)).toBe(once);
  });

  it('seals a value under RSA itself where it fits, else under a data key, and the same value never alike', async () => {
    const kinds = await Promise.all(
      [1, 100, 10_000].map(async (length) => {
        const body = JSON.parse(encrypted(JSON.stringify({ note: 'x'.repeat(length) }))) as { note: string };
        expect((await openMark(keys, body.note, 'shop')).value).toHaveLength(length);
        return parseMark(body.note)?.kind;
      }),
    );
    expect(kinds).toEqual(['d', 'd', 'h']);
    expect(encrypted('{"ssn":"1"}')).not.toBe(encrypted('{"ssn":"1"}'));
  });

  it.each([
    '/orders',
    '//orders',
    '/%6Frders',
    '/a/../orders',
    '/./orders',
    '/%2e/orders',
    '/a/%2e%2e/orders',
    '/%256Frders',
    '\\orders',
  ])('is not let past by another spelling of its path: %s', async (uri) => {
    expect(encrypted(`{"card":{"number":"${PAN}"}}`, { uri })).not.toContain(PAN);
  });

  it.each(['/v1/%252e%252e/orders', '/v1/%252e%252e/%25zz', '/a/../v1/x', '/%25zz/%252e%252e/v1/x'])(
    'is not let past where one way to read its path leads to a route, and another does not: %s',
    (uri) => {
      const fields = [{ name: 'ssn', class: 'ssn' as const }];
      const routed = edgeConfigOf(keys.create(), [{ methods: ['POST'], path: '/v1/*', fields }]);
      const outcome = throughEdge(routed, edgeEvent('{"ssn":"078051120"}', { uri }));
      expect('body' in outcome && parseMark(JSON.parse(outcome.body).ssn as string)).toMatchObject({
        kind: 'd',
      });
    },
  );

  it('of another path or method goes on untouched, body or not', () => {
    for (const asked of [
      { uri: '/health' },
      { uri: '/my%20orders' },
      { uri: '/caf%C3%A9' },
      { uri: '/100%25' },
      { method: 'GET' },
      { method: 'GET', body: null },
      { method: 'GET', uri: '/%zz' },
    ]) {
      const event = edgeEvent('{', asked);
      expect(encryptRequest(config, event)).toBe(event.Records[0].cf.request);
    }
  });

  it.each<[string, string | Uint8Array, AskedAtEdge, string]>([
    ['not UTF-8', Uint8Array.of(0x22, 0xff, 0x22), {}, 'ERR_EDGE_BODY_NOT_UTF8'],
    ['UTF-8 that was cut', Uint8Array.of(0x22, 0xc3), {}, 'ERR_EDGE_BODY_NOT_UTF8'],
    ['begun with a byte order mark', '\uFEFF{}', {}, 'ERR_EDGE_BODY_NOT_JSON'],
    ['not JSON', '{"ssn":', {}, 'ERR_EDGE_BODY_NOT_JSON'],
    ['JSON with comments', '{/* */}', {}, 'ERR_EDGE_BODY_NOT_JSON'],
    ['empty', '', {}, 'ERR_EDGE_BODY_NOT_JSON'],
    ['with a member twice', '{"a":{"ssn":"1","ssn":"2"}}', {}, 'ERR_EDGE_MEMBER_TWICE'],
    [
      'with a member twice, once with escapes',
      String.raw`{"ssn":"1","s\u0073n":"2"}`,
      {},
      'ERR_EDGE_MEMBER_TWICE',
    ],
    ['with a field that is an object', '{"ssn":{"a":"1"}}', {}, 'ERR_EDGE_FIELD_TYPE'],
    ['with a field that is a truth value', '{"ssn":true}', {}, 'ERR_EDGE_FIELD_TYPE'],
    ['nested too deeply', `${'['.repeat(65)}${']'.repeat(65)}`, {}, 'ERR_EDGE_BODY_TOO_DEEP'],
    ['cut off by CloudFront', '{}', { body: { inputTruncated: true } }, 'ERR_EDGE_BODY_TOO_LARGE'],
    ['not there', '{}', { body: null }, 'ERR_EDGE_BODY_MISSING'],
    ['not as long as it says', '{}', { headers: { 'content-length': '3' } }, 'ERR_EDGE_BODY_LENGTH'],
    ['of another type', '{}', { headers: { 'content-type': 'text/plain' } }, 'ERR_EDGE_MEDIA_TYPE'],
    [
      'in another charset',
      '{}',
      { headers: { 'content-type': 'application/json; charset=utf-16' } },
      'ERR_EDGE_MEDIA_TYPE',
    ],
    ['compressed', '{}', { headers: { 'content-encoding': 'gzip' } }, 'ERR_EDGE_MEDIA_TYPE'],
    ['under a path that cannot be read', '{}', { uri: '/%zz' }, 'ERR_EDGE_PATH'],
  ])('is refused with a body that is %s', (_, text, asked, code) => {
    expect(refusal(text, asked)).toBe(code);
  });

  it('is refused where its body is over the limit once it is encrypted, which the two events have each their own', () => {
    const many = JSON.stringify({ ssn: Array.from({ length: 120 }, () => '123456789') });
    expect(many.length).toBeLessThan(2_000);
    expect(refusal(many, { eventType: 'viewer-request' })).toBe('ERR_EDGE_BODY_TOO_LARGE');
    expect(refusal(many, { eventType: 'origin-request' })).toHaveProperty('body');
  });

  it('leaves the content length to CloudFront, whose header it may not change', () => {
    const text = '{"ssn":"1"}';
    const event = edgeEvent(text, { headers: { 'content-length': String(text.length) } });
    const outcome = encryptRequest(config, event);
    expect(outcome.headers).toEqual(event.Records[0].cf.request.headers);
    expect('body' in outcome && outcome.body).toMatchObject({ action: 'replace', encoding: 'text' });
  });

  it('answers no word of what was sent', () => {
    const outcome = encryptRequest(config, edgeEvent(`{"card":{"number":"${PAN}"`));
    expect(JSON.stringify(outcome)).not.toContain('4111');
  });
});

describe('the settings of the edge', () => {
  const publicKey = (modulusLength: number): string =>
    generateKeyPairSync('rsa', { modulusLength })
      .publicKey.export({ format: 'pem', type: 'spki' })
      .toString();
  const good = { keyId: keys.create().keyId, tenant: 'shop', routes: CHECKOUT };

  it.each([
    ['that are not JSON', 'x'],
    ['that are not there', undefined],
    ['with a key that is too small', JSON.stringify({ ...good, publicKey: publicKey(1024) })],
    ['with a key that is none', JSON.stringify({ ...good, publicKey: 'none' })],
    ['without a route', JSON.stringify({ ...good, publicKey: publicKey(2048), routes: [] })],
    [
      'with a class that there is not',
      JSON.stringify({
        ...good,
        publicKey: publicKey(2048),
        routes: [{ methods: ['POST'], path: '/', fields: [{ name: 'a', class: 'secret' }] }],
      }),
    ],
  ])('are refused %s', (_, text) => {
    expect(() => readEdgeConfig(text)).toThrow(expect.objectContaining({ code: 'ERR_EDGE_SETTINGS' }));
  });
});
