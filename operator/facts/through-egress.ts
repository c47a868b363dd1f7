import { Agent, request } from 'undici';
import type { Operation } from '../../mesh/definition.ts';
import { PEER_CHECK, PEER_IDENTITY_HEADER, PEER_SERIAL_HEADER } from '../../mesh/envoy/inbound.ts';
import { normalizeSerial } from '../../pki/secret.ts';

/** The status of a call that a node makes through its own Envoy; undefined where nothing answers. */
export async function statusOf(
  egressSocket: string,
  url: string,
  method: Operation['method'],
): Promise<number | undefined> {
  return await throughEgress(egressSocket, async (dispatcher) => {
    const { statusCode, body } = await request(url, { dispatcher, method, headersTimeout: 5_000 });
    await body.dump();
    return statusCode;
  });
}

/** Whom the far end sees, and under which serial; undefined where it does not say. */
export async function peerCheck(
  egressSocket: string,
  host: string,
): Promise<{ identity: string; serial: string } | undefined> {
  return await throughEgress(egressSocket, async (dispatcher) => {
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

async function throughEgress<Answer>(
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
