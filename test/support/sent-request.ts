/** What a MockAgent hands to the function that makes its answer. */
interface Sent {
  readonly body?: unknown;
  readonly headers?: unknown;
}

/** The JSON body of a request that a MockAgent caught. */
export function sentBody(sent: Sent): unknown {
  if (typeof sent.body !== 'string') throw new TypeError('the request was not sent with a text');
  return JSON.parse(sent.body);
}

/** One header of a request that a MockAgent caught. */
export function sentHeader(sent: Sent, name: string): string | null {
  return new Headers(sent.headers as Record<string, string>).get(name);
}
