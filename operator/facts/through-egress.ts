import { Agent, request } from 'undici';
import { PROBLEM_MEDIA_TYPE } from '../../errors/problem.ts';
import type { Operation } from '../../mesh/definition.ts';
import { PEER_CHECK, PEER_IDENTITY_HEADER, PEER_SERIAL_HEADER } from '../../mesh/envoy/inbound.ts';
import { normalizeSerial } from '../../pki/secret.ts';

export interface CallAnswer {
  readonly status: number;
  /** The code of the problem document, where the answer is one. */
  readonly code?: string;
}

/** What comes of a call that a node makes through its own Envoy; undefined where nothing answers. */
export async function callThrough(
  socketPath: string,
  url: string,
  method: Operation['method'],
): Promise<CallAnswer | undefined> {
  return await throughSocket(socketPath, async (dispatcher) => {
    const { statusCode, headers, body } = await request(url, { dispatcher, method, headersTimeout: 5_000 });
    if (!String(headers['content-type']).startsWith(PROBLEM_MEDIA_TYPE)) {
      await body.dump();
      return { status: statusCode };
    }
    const { code } = (await body.json()) as { code?: string };
    return { status: statusCode, ...(code === undefined ? {} : { code }) };
  });
}

/** Whom the far end sees, and under which serial; undefined where it does not say. */
export async function peerCheck(
  egressSocket: string,
  host: string,
): Promise<{ identity: string; serial: string } | undefined> {
  return await throughSocket(egressSocket, async (dispatcher) => {
    const { headers, body } = await request(`http://${host}${PEER_CHECK.path}`, {
      dispatcher,
      headersTimeout: 5_000,
    });
    await body.dump();
    const identity = headers[PEER_IDENTITY_HEADER];
    const serial = headers[PEER_SERIAL_HEADER];
    if (typeof identity !== 'string' || typeof serial !== 'string') return undefined;
    return { identity, serial: normalizeSerial(serial) };
  });
}

async function throughSocket<Answer>(
  socketPath: string,
  ask: (dispatcher: Agent) => Promise<Answer>,
): Promise<Answer | undefined> {
  const dispatcher = new Agent({ connect: { socketPath } });
  try {
    return await ask(dispatcher);
  } catch {
    return undefined;
  } finally {
    await dispatcher.close();
  }
}
