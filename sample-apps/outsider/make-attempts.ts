import type { Dispatcher } from 'undici';
import { PROBLEM_MEDIA_TYPE } from '../../errors/problem.ts';
import { REFUSED_BY_HEADER } from '../../mesh/envoy/http.ts';
import { ORDER_ID, REFERENCE, TOKEN, type Attempt } from './attempts.ts';

export interface AttemptResult {
  readonly what: string;
  readonly method: string;
  /** The path as a template: it shows no token. */
  readonly target: string;
  /** 0 where no answer came. */
  readonly status: number;
  readonly refused: boolean;
}

export interface AttemptReport {
  readonly attempts: readonly AttemptResult[];
  readonly refused: number;
  /** All that were not refused: what got through, and what got no answer, which proves nothing. */
  readonly allowed: number;
}

/** What the attempts are about: things that exist, where the caller has them. */
export interface AttemptTargets {
  readonly token: string;
  readonly orderId: string;
}

const DEADLINE_MS = 5_000;

/** Makes the attempts one after the other, through this app's own Envoy. */
export async function makeAttempts(
  attempts: readonly Attempt[],
  dispatcher: Dispatcher,
  targets: AttemptTargets,
): Promise<AttemptReport> {
  const results: AttemptResult[] = [];
  for (const attempt of attempts) {
    results.push(await make(attempt, dispatcher, targets));
  }
  const refused = results.filter((result) => result.refused).length;
  return { attempts: results, refused, allowed: results.length - refused };
}

async function make(
  attempt: Attempt,
  dispatcher: Dispatcher,
  targets: AttemptTargets,
): Promise<AttemptResult> {
  const { what, method, service, path } = attempt;
  const answer = await send(attempt, dispatcher, targets);
  const target = path.startsWith('http') ? path : `http://${service}${path}`;
  return { what, method, target, status: answer.status, refused: isRefusal(answer) };
}

interface Answer {
  readonly status: number;
  /** Envoy says so in a header, since an answer to HEAD has no body; where it cannot read a request, it says nothing. */
  readonly isOfEnvoy: boolean;
}

/** By the dispatcher, not by a URL: parsing a URL would straighten out the very paths that are tried. */
async function send(attempt: Attempt, dispatcher: Dispatcher, targets: AttemptTargets): Promise<Answer> {
  const fill = (text: string): string =>
    text
      .replaceAll(TOKEN, targets.token)
      .replaceAll(ORDER_ID, targets.orderId)
      .replaceAll(REFERENCE, 'a-reference');
  try {
    const answer = await dispatcher.request({
      origin: `http://${attempt.service}`,
      path: fill(attempt.path),
      method: attempt.method,
      headers: headersOf(attempt),
      body: attempt.body === undefined ? null : fill(JSON.stringify(attempt.body)),
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    await answer.body.dump();
    return { status: answer.statusCode, isOfEnvoy: isOfEnvoy(answer.headers) };
  } catch {
    return { status: 0, isOfEnvoy: false };
  }
}

function headersOf(attempt: Attempt): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> =
    attempt.body === undefined ? {} : { 'content-type': 'application/json' };
  for (const [name, value] of Object.entries(attempt.headers ?? {})) {
    headers[name] = typeof value === 'string' ? value : [...value];
  }
  return headers;
}

/** Every refusal of an app is a problem document. */
function isOfEnvoy(headers: Readonly<Record<string, string | string[] | undefined>>): boolean {
  return (
    headers[REFUSED_BY_HEADER] === 'envoy' || !String(headers['content-type']).startsWith(PROBLEM_MEDIA_TYPE)
  );
}

/**
 * Refused is what Envoy answers by itself: the mesh denies the call, or the request is not one to pass on.
 *
 * Any answer of an app is none, be it 403, 404 or 400: the request got as far as the app.
 */
function isRefusal({ status, isOfEnvoy }: Answer): boolean {
  return isOfEnvoy && status >= 400 && status < 500;
}
