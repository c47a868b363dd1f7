/** The part of autocannon that the bench uses: the package has no types of its own. */
declare module 'autocannon' {
  import type { EventEmitter } from 'node:events';

  export interface Request {
    method: string;
    path: string;
    headers: Record<string, string>;
    body: string;
  }

  export interface Client {
    setRequests(requests: Request[]): void;
  }

  export interface Options {
    url: string;
    socketPath?: string;
    connections: number;
    amount: number;
    /** Seconds. */
    timeout: number;
    /** Milliseconds between two looks at whether all is done. */
    sampleInt: number;
    setupClient: (client: Client) => void;
    verifyBody?: (body: string) => boolean;
  }

  export interface Result {
    errors: number;
    timeouts: number;
    mismatches: number;
  }

  export default function autocannon(
    options: Options,
    done: (error: Error | null, result: Result) => void,
  ): EventEmitter;
}
