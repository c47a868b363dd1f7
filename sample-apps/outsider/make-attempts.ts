import type { Dispatcher } from 'undici';
import { ORDER_ID, TOKEN, type Attempt } from './attempts.ts';

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
  /** Of the problem document, where there is one. */
  readonly code: string | undefined;
  readonly isProblem: boolean;
}

/** By the dispatcher, not by a URL: parsing a URL would straighten out the very paths that are tried. */
async function send(attempt: Attempt, dispatcher: Dispatcher, targets: AttemptTargets): Promise<Answer> {
  const fill = (text: string): string =>
    text.replaceAll(TOKEN, targets.token).replaceAll(ORDER_ID, targets.orderId);
  try {
    const answer = await dispatcher.request({
      origin: `http://${attempt.service}`,
      path: fill(attempt.path),
      method: attempt.method,
      headers: headersOf(attempt),
      body: attempt.body === undefined ? null : fill(JSON.stringify(attempt.body)),
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    const isProblem = String(answer.headers['content-type']).startsWith('application/problem+json');
    return { status: answer.statusCode, isProblem, code: codeIn(await answer.body.text()) };
  } catch {
    return { status: 0, isProblem: false, code: undefined };
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

/** Of an answer only its code is looked at: what got through may hold a card. */
function codeIn(text: string): string | undefined {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body !== 'object' || body === null || !('code' in body)) return undefined;
    return typeof body.code === 'string' ? body.code : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Refused is 403; or what Envoy answers by itself to a request it does not pass on.
 *
 * Any other answer of an app is none, be it 404 or 400: the request got as far as the app.
 */
function isRefusal(answer: Answer): boolean {
  if (answer.status === 403) return true;
  if (answer.status < 400 || answer.status >= 500) return false;
  return !answer.isProblem || answer.code === 'ERR_REQUEST_REFUSED';
}
