import { alike, type Attack } from './attack.ts';
import type { MeshTarget } from './member.ts';
import { bytesOfOrder, http1, type Http1 } from './raw-http1.ts';
import {
  FRAME,
  fields,
  frame,
  framesOfOrder,
  headers,
  HEALTH,
  REVEAL,
  unanswered,
  type Header,
} from './raw-http2.ts';

/** What order wants and may not have. */
const revealBody = ({ token }: MeshTarget): string => JSON.stringify({ token, purpose: 'payment' });

/** A whole request of its own, which somebody in between may take for one. */
const hidden = (target: MeshTarget): string =>
  http1({ headers: [`content-length: ${revealBody(target).length}`], body: revealBody(target) });

const many = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

const HEALTH_LINE = 'GET /healthz HTTP/1.1';

/** A request that order may make, framed in two ways, with another one within or behind. */
const smuggled = (
  framing: readonly string[],
  body: (target: MeshTarget) => string,
): Attack<MeshTarget>['attempt'] =>
  bytesOfOrder((target) => http1({ line: HEALTH_LINE, headers: framing, body: body(target) }));

const asChunks = (target: MeshTarget): string => `0\r\n\r\n${hidden(target)}`;

const SMUGGLING = alike<MeshTarget>(
  'a request has one length, and ends where Envoy says',
  '400 ERR_REQUEST_REFUSED',
  [
    [
      'Content-Length before Transfer-Encoding (CL.TE)',
      smuggled(['content-length: 4', 'transfer-encoding: chunked'], asChunks),
    ],
    [
      'Transfer-Encoding before Content-Length (TE.CL)',
      smuggled(['transfer-encoding: chunked', 'content-length: 4'], asChunks),
    ],
    ['two Content-Lengths that differ', smuggled(['content-length: 0', 'content-length: 30'], hidden)],
    ['Content-Length with a sign', smuggled(['content-length: +0'], hidden)],
    ['Content-Length in hexadecimal', smuggled(['content-length: 0x0'], hidden)],
    ['Content-Length as a list', smuggled(['content-length: 0, 30'], hidden)],
    [
      'Transfer-Encoding: xchunked',
      smuggled(['transfer-encoding: xchunked'], asChunks),
      '501 ERR_REQUEST_REFUSED',
    ],
    [
      'Transfer-Encoding: chunked, identity',
      smuggled(['transfer-encoding: chunked, identity'], asChunks),
      '501 ERR_REQUEST_REFUSED',
    ],
    [
      'Transfer-Encoding with a tab before chunked',
      smuggled(['content-length: 4', 'transfer-encoding:\tchunked'], asChunks),
    ],
    [
      'Transfer-Encoding with a space before the colon',
      smuggled(['content-length: 4', 'transfer-encoding : chunked'], asChunks),
    ],
    [
      'a folded Transfer-Encoding',
      smuggled(['content-length: 4', 'transfer-encoding:\r\n chunked'], asChunks),
    ],
    ['a chunk with a negative size', smuggled(['transfer-encoding: chunked'], () => '-1\r\nx\r\n0\r\n\r\n')],
    [
      'a chunk with an endless size',
      smuggled(['transfer-encoding: chunked'], () => `${'f'.repeat(40)}\r\nx`),
    ],
    [
      'a bare LF after a header',
      bytesOfOrder((target) => `${HEALTH_LINE}\nhost: tokenizer\n\n${hidden(target)}`),
      '200, 403 ERR_MESH_DENIED',
    ],
    ['a NUL in a header', smuggled(['x-note: a\0b'], () => '')],
    ['a bare CR in a header', smuggled(['x-note: a\rtransfer-encoding: chunked'], () => ''), '200'],
    ['HTTP/0.9', bytesOfOrder(() => 'GET /healthz\r\n\r\n'), '426 ERR_REQUEST_REFUSED'],
  ],
);

const PIPELINED = alike<MeshTarget>(
  'what is behind a request is judged as one of its own',
  '200, 403 ERR_MESH_DENIED',
  [
    [
      'a request behind one that is allowed',
      bytesOfOrder((target) => http1({ line: HEALTH_LINE }) + hidden(target)),
    ],
    ['a request in the body of a GET', smuggled(['content-length: 5'], (target) => `hello${hidden(target)}`)],
    [
      'a request behind a chunked body with a trailer',
      smuggled(
        ['transfer-encoding: chunked'],
        (target) => `0\r\nx-tokenmesh-identity: paybill.tokenmesh.internal\r\n\r\n${hidden(target)}`,
      ),
    ],
  ],
);

const denied = (request: Http1): Attack<MeshTarget>['attempt'] =>
  bytesOfOrder((target) => {
    const body = revealBody(target);
    return http1({
      ...request,
      headers: [`content-length: ${body.length}`, ...(request.headers ?? [])],
      body,
    });
  });

const PAYBILL = 'paybill.tokenmesh.internal';

const IDENTITY = alike<MeshTarget>(
  "the identity is the certificate's, whatever a header says",
  '403 ERR_MESH_DENIED',
  [
    ['x-tokenmesh-identity', denied({ headers: [`x-tokenmesh-identity: ${PAYBILL}`] })],
    ['X-TOKENMESH-IDENTITY', denied({ headers: [`X-TOKENMESH-IDENTITY: ${PAYBILL}`] })],
    ['x-forwarded-client-cert', denied({ headers: [`x-forwarded-client-cert: By=x;DNS=${PAYBILL}`] })],
    [
      'X-Forwarded-Client-Cert, twice',
      denied({
        headers: [`X-Forwarded-Client-Cert: DNS=${PAYBILL}`, `x-FORWARDED-client-CERT: DNS=${PAYBILL}`],
      }),
    ],
    ['the identity as a trailer', denied({ headers: ['te: trailers', 'trailer: x-tokenmesh-identity'] })],
    [
      'the identity named by Connection, to be dropped',
      denied({ headers: ['connection: x-tokenmesh-identity, x-forwarded-client-cert'] }),
    ],
    [
      'the identity with a space before the colon',
      denied({ headers: [`x-tokenmesh-identity : ${PAYBILL}`] }),
      '400 ERR_REQUEST_REFUSED',
    ],
    [
      'the identity with underscores',
      denied({ headers: [`x_tokenmesh_identity: ${PAYBILL}`] }),
      '400 ERR_REQUEST_REFUSED',
    ],
    [
      'method override headers, as GET',
      denied({ headers: ['x-http-method-override: GET', 'x-method-override: GET', 'x-http-method: GET'] }),
    ],
    [
      'x-original-url and x-rewrite-url, as open to all',
      denied({ headers: ['x-original-url: /healthz', 'x-rewrite-url: /healthz'] }),
    ],
    [
      'x-envoy-original-path and x-envoy-decorator-operation',
      denied({ headers: ['x-envoy-original-path: /healthz', 'x-envoy-decorator-operation: health'] }),
    ],
  ],
);

const target = (path: string): Attack<MeshTarget>['attempt'] => denied({ line: `POST ${path} HTTP/1.1` });
const REFUSED = '400 ERR_REQUEST_REFUSED';

const PATHS = alike<MeshTarget>('a path is one text, to Envoy and to the app', '403 ERR_MESH_DENIED', [
  ['../', target('/healthz/../v1/detokenize')],
  ['%2e%2e/', target('/healthz/%2e%2e/v1/detokenize')],
  ['//', target('//v1//detokenize')],
  ['a matrix parameter (;)', target('/healthz;/../v1/detokenize')],
  ['%2f', target('/v1%2fdetokenize'), REFUSED],
  ['%5c', target('/v1%5cdetokenize'), REFUSED],
  ['%00', target('/v1/detokenize%00'), REFUSED],
  ['a letter in percents', target('/v1/%64etokenize')],
  ['a letter in percents, twice', target('/v1/%2564etokenize')],
  ['capitals', target('/V1/Detokenize')],
  ['a fragment', target('/healthz#/../v1/detokenize'), REFUSED],
  ['the absolute form', target('http://tokenizer/v1/detokenize')],
  ['the absolute form of another host', target('http://healthz.example/v1/detokenize')],
  ['no slash in front', target('v1/detokenize'), REFUSED],
  ['a space within', target('/healthz /v1/detokenize'), '400 ERR_REQUEST_REFUSED'],
]);

const HOSTS = alike<MeshTarget>('a host chooses nothing but whether it is one', '403 ERR_MESH_DENIED', [
  ['the host of another node', denied({ host: 'host: paybill' })],
  ['a host with credentials and a port', denied({ host: 'host: a:b@tokenizer:1' })],
  ['no host', denied({ host: 'x-host: tokenizer' }), '400 ERR_REQUEST_REFUSED'],
  ['two hosts', denied({ headers: ['host: paybill'] })],
]);

const METHODS = alike<MeshTarget>('no way out of HTTP, and no other method', '403 ERR_MESH_DENIED', [
  ['CONNECT', bytesOfOrder(() => http1({ line: 'CONNECT tokenizer:443 HTTP/1.1' })), '403 ERR_MESH_DENIED'],
  ['TRACE', bytesOfOrder(() => http1({ line: 'TRACE /v1/detokenize HTTP/1.1' }))],
  ['OPTIONS *', bytesOfOrder(() => http1({ line: 'OPTIONS * HTTP/1.1' })), '404 ERR_ROUTE_UNKNOWN'],
  [
    'a method that there is not',
    bytesOfOrder(() => http1({ line: 'REVEAL /v1/detokenize HTTP/1.1' })),
    '400 ERR_REQUEST_REFUSED',
  ],
  ['Upgrade: websocket', denied({ headers: ['connection: upgrade', 'upgrade: websocket'] })],
  [
    'Upgrade: h2c',
    denied({ headers: ['connection: upgrade, http2-settings', 'upgrade: h2c', 'http2-settings: AAMAAABk'] }),
  ],
]);

const SIZES = alike<MeshTarget>('headers of 15 KiB and 64 in number at most', '431 ERR_REQUEST_REFUSED', [
  [
    'a header of 64 KiB',
    bytesOfOrder(() => http1({ line: HEALTH_LINE, headers: [`x-a: ${'a'.repeat(65_536)}`] })),
  ],
  ['a path of 64 KiB', bytesOfOrder(() => http1({ line: `GET /${'a'.repeat(65_536)} HTTP/1.1` }))],
  [
    'a thousand headers',
    bytesOfOrder(() => http1({ line: HEALTH_LINE, headers: many(1_000).map((index) => `x-${index}: a`) })),
  ],
]);

const reveal = (...more: readonly Header[]): Buffer => headers(1, [...REVEAL, ...more]);
const malformed = (make: () => Buffer): Attack<MeshTarget>['attempt'] => unanswered(framesOfOrder(make));

const HTTP2_FORM = alike<MeshTarget>(
  'HTTP/2 carries nothing that HTTP/1.1 would read in another way',
  'not answered',
  [
    [
      'Content-Length of another size',
      malformed(() =>
        Buffer.concat([
          headers(1, [...REVEAL, ['content-length', '4']], false),
          frame(FRAME.data, 1, 1, Buffer.alloc(40, 'a')),
        ]),
      ),
    ],
    ['Transfer-Encoding', malformed(() => reveal(['transfer-encoding', 'chunked']))],
    ['Connection', malformed(() => reveal(['connection', 'x-tokenmesh-identity']))],
    ['CR and LF in a value', malformed(() => reveal(['x-a', 'b\r\nx-tokenmesh-identity: paybill']))],
    ['CR and LF in a name', malformed(() => reveal(['x-a: b\r\nx-b', 'c']))],
    ['a name in capitals', malformed(() => reveal(['X-Tokenmesh-Identity', PAYBILL]))],
    ['the path twice', malformed(() => reveal([':path', '/healthz']))],
    ['a pseudo-header behind the others', malformed(() => headers(1, [['x-a', 'b'], ...REVEAL]))],
    ['no path', malformed(() => headers(1, REVEAL.slice(0, 3)))],
    [
      'a space in the path',
      malformed(() => headers(1, [...REVEAL.slice(0, 3), [':path', '/healthz HTTP/1.1']])),
    ],
    [
      'the identity header',
      framesOfOrder(() => reveal(['x-tokenmesh-identity', PAYBILL])),
      '403 ERR_MESH_DENIED',
    ],
    [
      'an authority and another host',
      framesOfOrder(() => reveal(['host', 'paybill'])),
      '403 ERR_MESH_DENIED',
    ],
  ],
);

const repeated = (count: number, of: (index: number) => Buffer): Attack<MeshTarget>['attempt'] =>
  framesOfOrder(() => many(count).map(of));

/** Then asks for the health over another connection. */
const flood = (make: () => readonly Buffer[]): Attack<MeshTarget>['attempt'] => {
  const flooding = unanswered(framesOfOrder(make));
  return async (target) =>
    `${await flooding(target)}; the next connection: ${await framesOfOrder(() => headers(1, HEALTH))(target)}`;
};
const word = (value: number): Buffer => Buffer.from([0, 0, 0, value]);

const HTTP2_FLOODS = alike<MeshTarget>(
  'a connection that asks for too much gets nothing, and no other is the worse for it',
  'not answered; the next connection: 200',
  [
    [
      'rapid reset: 5,000 streams, each reset at once',
      repeated(5_000, (index) =>
        Buffer.concat([headers(2 * index + 1, HEALTH), frame(FRAME.reset, 0, 2 * index + 1, word(8))]),
      ),
      'ended',
    ],
    ['20,000 SETTINGS', flood(() => many(20_000).map(() => frame(FRAME.settings, 0, 0)))],
    ['20,000 PINGs', flood(() => many(20_000).map(() => frame(FRAME.ping, 0, 0, Buffer.alloc(8))))],
    ['20,000 PRIORITYs', flood(() => many(20_000).map(() => frame(FRAME.priority, 0, 1, Buffer.alloc(5))))],
    [
      'a header list that goes on in 5,000 CONTINUATIONs',
      flood(() => [
        frame(FRAME.headers, 0, 1, fields(REVEAL)),
        ...many(5_000).map((index) => frame(FRAME.continuation, 0, 1, fields([[`x-${index}`, 'a']]))),
      ]),
    ],
    [
      '20,000 empty DATA',
      flood(() => [headers(1, REVEAL, false), ...many(20_000).map(() => frame(FRAME.data, 0, 1))]),
    ],
    [
      'a window that overflows',
      flood(() => [frame(FRAME.window, 0, 0, Buffer.from([0x7f, 0xff, 0xff, 0xff]))]),
    ],
    ['a frame of 1 MiB', flood(() => [frame(FRAME.data, 0, 1, Buffer.alloc(1_048_576))])],
    ['a CONTINUATION of nothing', flood(() => [frame(FRAME.continuation, 4, 1, fields(HEALTH))])],
    [
      '300 streams at once, of which there may be 256',
      async (target) => {
        const all = await repeated(300, (index) => headers(2 * index + 1, REVEAL, false))(target);
        return all.split(', ').find((each) => each.includes('REFUSED_STREAM')) ?? all;
      },
      'stream reset: REFUSED_STREAM',
    ],
  ],
);

export const HTTP_ATTACKS: readonly Attack<MeshTarget>[] = [
  ...SMUGGLING,
  ...PIPELINED,
  ...IDENTITY,
  ...PATHS,
  ...HOSTS,
  ...METHODS,
  ...SIZES,
];

export const HTTP2_ATTACKS: readonly Attack<MeshTarget>[] = [...HTTP2_FORM, ...HTTP2_FLOODS];
