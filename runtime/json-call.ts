import { request, type Dispatcher } from 'undici';

export interface JsonCall {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly signal: AbortSignal;
}

export interface JsonAnswer {
  readonly status: number;
  /** Seconds, where the answer has a `retry-after` in that form (RFC 9110 section 10.2.3). */
  readonly retryAfterSeconds?: number;
  /** Undefined where the body is not JSON, as in what a proxy answers by itself. */
  readonly body: unknown;
}

/**
 * Sends one request through an app's own Envoy and reads the whole answer.
 *
 * @throws What undici throws where no answer came, or `signal` ended the wait.
 */
export async function callJson(dispatcher: Dispatcher, call: JsonCall): Promise<JsonAnswer> {
  const answer = await request(call.url, {
    dispatcher,
    method: call.method,
    headers: { ...(call.body === undefined ? {} : { 'content-type': 'application/json' }), ...call.headers },
    body: call.body === undefined ? null : JSON.stringify(call.body),
    signal: call.signal,
  });
  const retryAfter = answer.headers['retry-after'];
  return {
    status: answer.statusCode,
    body: parseOrUndefined(await answer.body.text()),
    ...(typeof retryAfter === 'string' && /^\d{1,5}$/.test(retryAfter)
      ? { retryAfterSeconds: Number(retryAfter) }
      : {}),
  };
}

function parseOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
