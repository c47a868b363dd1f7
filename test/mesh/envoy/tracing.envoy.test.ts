import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort } from '../../../local/free-port.ts';
import { tokenizationMesh } from '../../../mesh/tokenization-mesh.ts';
import { startEnvoyMesh, type EnvoyMesh } from '../../support/envoy-mesh.ts';
import { startOtlpReceiver, type OtlpReceiver, type Span } from '../../support/otlp-receiver.ts';

const DEADLINE_MS = 60_000;
const TOKEN = `tkn_${'b'.repeat(40)}`;

let receiver: OtlpReceiver;
let envoys: EnvoyMesh;

beforeAll(async () => {
  const port = await freePort();
  receiver = await startOtlpReceiver(port);
  envoys = await startEnvoyMesh(tokenizationMesh, ['order', 'tokenizer'], {
    traces: { host: '127.0.0.1', port, path: '/v1/traces', percent: 100 },
  });
}, DEADLINE_MS);
afterAll(async () => {
  await envoys.stop();
  receiver.stop();
});

async function spanNamed(service: string, name: string): Promise<Span> {
  for (let look = 0; look < 150; look += 1) {
    const found = receiver.spans.find((span) => span.service === service && span.name === name);
    if (found !== undefined) return found;
    await sleep(100);
  }
  throw new Error(
    `expected ${service} ${name}, got ${receiver.spans.map((each) => `${each.service} ${each.name}`).join(', ')}`,
  );
}

describe('Envoy', () => {
  it(
    'tells a call as one trace, with the operation for a name, and nothing of path and user agent',
    async () => {
      const { body } = await envoys.call('order', `http://tokenizer/v1/tokens/${TOKEN}`, {
        headers: { 'user-agent': 'card 4111111111111111' },
      });
      const inbound = await spanNamed('tokenizer-envoy', 'tokens.read');
      const egress = await spanNamed('order-envoy', 'to tokenizer');
      expect(inbound.traceId).toBe(egress.traceId);
      expect(egress.parentSpanId).toBe('');
      // The app is told of the trace, as a child of what its Envoy made.
      const seen = JSON.parse(body) as { traceparent?: string };
      expect(seen.traceparent).toContain(inbound.traceId);
      for (const secret of [TOKEN, '4111111111111111'])
        expect(receiver.bodies.filter((each) => each.includes(secret)).length).toBe(0);
      expect(inbound.attributes).toMatchObject({ 'http.url': 'not told', user_agent: 'not told' });
    },
    DEADLINE_MS,
  );
});
