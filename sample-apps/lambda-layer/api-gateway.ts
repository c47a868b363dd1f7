/**
 * What a function behind API Gateway is given and answers, and what both functions do alike.
 *
 * @module
 */

import { TokenmeshError } from 'tokenmesh/tokenizer';
import { cardVault } from './card-vault.ts';

/** Of a proxy event of a REST API what is read here. */
export interface ProxyEvent {
  readonly body: string | null;
  readonly isBase64Encoded?: boolean;
  readonly pathParameters?: Readonly<Record<string, string | undefined>> | null;
  readonly requestContext: { readonly requestId: string };
}

export interface ProxyAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export type Handler = (event: ProxyEvent) => Promise<ProxyAnswer>;

/** How an error of these codes is answered; any other is 500, and the log alone says which. */
const STATUS: Readonly<Record<string, number>> = {
  ERR_REQUEST_INVALID: 400,
  ERR_VALUE_INVALID: 400,
  ERR_VALUE_TOO_LARGE: 413,
  ERR_ORDER_UNKNOWN: 404,
  ERR_TOKEN_UNKNOWN: 410,
  ERR_TOKEN_ARCHIVED: 410,
  ERR_STORE_UNAVAILABLE: 503,
  ERR_KEY_UNAVAILABLE: 503,
  ERR_AUDIT_UNAVAILABLE: 503,
  ERR_PROCESSOR_UNAVAILABLE: 503,
};

/**
 * Answers with what `work` returns, or with a problem document. Before the function may stand still, the
 * end of the audit is sealed if it is time.
 */
export function handlerOf(statusCode: number, work: (event: ProxyEvent) => Promise<object>): Handler {
  return async (event) => {
    try {
      return answer(statusCode, 'application/json', await work(event));
    } catch (error) {
      return refuse(error, event.requestContext.requestId);
    } finally {
      await cardVault.sealAudit();
    }
  };
}

/** @throws {TokenmeshError} `ERR_REQUEST_INVALID` */
export function bodyOf(event: ProxyEvent): Readonly<Record<string, unknown>> {
  const text = Buffer.from(event.body ?? '', event.isBase64Encoded === true ? 'base64' : 'utf8').toString();
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === 'object' && body !== null) return body as Record<string, unknown>;
  } catch {
    // What a parser says quotes the text, which has a card number in it.
  }
  throw invalid('the body', 'a JSON object');
}

export function invalid(what: string, expected: string): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_REQUEST_INVALID',
    message: `${what} is not valid: expected ${expected}`,
    remedy: 'correct it, and send the request again',
  });
}

function refuse(error: unknown, requestId: string): ProxyAnswer {
  const code = error instanceof TokenmeshError ? error.code : 'ERR_INTERNAL';
  const status = STATUS[code] ?? 500;
  process.stderr.write(
    `${JSON.stringify({ level: 'warn', requestId, code, status, fault: faultOf(error) })}\n`,
  );
  const isShown = error instanceof TokenmeshError && status !== 500;
  return answer(status, 'application/problem+json', {
    status,
    code,
    title: isShown ? error.message : 'the request failed',
    remedy: isShown ? error.remedy : 'try again; if it goes on, tell whoever runs this the request id',
  });
}

/** The kind of what stands behind an error, and not its text, which may quote what was sent. */
function faultOf(error: unknown): string | undefined {
  const fault = error instanceof TokenmeshError ? error.cause : error;
  return fault instanceof Error ? fault.name : undefined;
}

function answer(statusCode: number, mediaType: string, body: object): ProxyAnswer {
  return { statusCode, headers: { 'content-type': mediaType }, body: JSON.stringify(body) };
}
