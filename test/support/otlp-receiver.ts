/**
 * A collector of spans: OTLP over HTTP, as protocol buffers (Envoy) and as JSON (the apps).
 *
 * @module
 */

import { createServer, type IncomingMessage, type Server } from 'node:http';
import protobuf from 'protobufjs';

/** What the test looks at of opentelemetry/proto/collector/trace/v1 and trace/v1; other fields are skipped. */
const SCHEMA = `
syntax = "proto3";
message Value { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; } }
message KeyValue { string key = 1; Value value = 2; }
message Resource { repeated KeyValue attributes = 1; }
message Span { bytes trace_id = 1; bytes span_id = 2; bytes parent_span_id = 4; string name = 5; repeated KeyValue attributes = 9; }
message ScopeSpans { repeated Span spans = 2; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
message Request { repeated ResourceSpans resource_spans = 1; }
`;

const REQUEST = protobuf.parse(SCHEMA, { keepCase: false }).root.lookupType('Request');

interface Attribute {
  readonly key: string;
  readonly value?: { readonly stringValue?: string; readonly intValue?: number };
}

interface RawSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly attributes?: readonly Attribute[];
}

interface RawRequest {
  readonly resourceSpans?: readonly {
    readonly resource?: { readonly attributes?: readonly Attribute[] };
    readonly scopeSpans?: readonly { readonly spans?: readonly RawSpan[] }[];
  }[];
}

export interface Span {
  readonly service: string;
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for the first of a trace. */
  readonly parentSpanId: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface OtlpReceiver {
  readonly spans: readonly Span[];
  /** Every body as it came, for a search in it. */
  readonly bodies: readonly Buffer[];
  stop(): void;
}

export async function startOtlpReceiver(port: number): Promise<OtlpReceiver> {
  const spans: Span[] = [];
  const bodies: Buffer[] = [];
  const server: Server = createServer((message, response) => {
    void bodyOf(message).then((body) => {
      bodies.push(body);
      spans.push(...spansIn(message.headers['content-type'] ?? '', body));
      response.setHeader('content-type', message.headers['content-type'] ?? '');
      response.end(message.headers['content-type'] === 'application/json' ? '{}' : '');
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    spans,
    bodies,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function spansIn(mediaType: string, body: Buffer): Span[] {
  const isJson = mediaType === 'application/json';
  const request = (
    isJson ? JSON.parse(body.toString()) : REQUEST.toObject(REQUEST.decode(body), { longs: Number })
  ) as RawRequest;
  const hex = (id: string | Buffer | undefined): string =>
    typeof id === 'string' ? id : Buffer.from(id ?? []).toString('hex');
  return (request.resourceSpans ?? []).flatMap(({ resource, scopeSpans }) => {
    const service = textsOf(resource?.attributes)['service.name'] ?? '';
    return (scopeSpans ?? []).flatMap(({ spans }) =>
      (spans ?? []).map(({ traceId, spanId, parentSpanId, name, attributes }) => ({
        service,
        name,
        traceId: hex(traceId),
        spanId: hex(spanId),
        parentSpanId: hex(parentSpanId),
        attributes: textsOf(attributes),
      })),
    );
  });
}

function textsOf(attributes: readonly Attribute[] = []): Record<string, string> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [key, String(value?.stringValue ?? value?.intValue ?? '')]),
  );
}
