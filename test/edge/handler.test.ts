import { describe, expect, it } from '@jest/globals';
import { marksIn } from '../../sidecar/tokenizer/core/marks/mark.ts';
import { MemoryMarkKeys } from '../fakes/memory-mark-keys.ts';
import { CHECKOUT, edgeEvent } from '../support/edge-request.ts';

describe('the function at the edge', () => {
  it('takes its settings from what the bundler puts in, and encrypts what CloudFront hands to it', async () => {
    const { keyId, publicKey } = new MemoryMarkKeys().create();
    const pem = publicKey.export({ format: 'pem', type: 'spki' }).toString();
    const settings = { keyId, publicKey: pem, tenant: 'shop', routes: CHECKOUT };
    process.env['TOKENMESH_EDGE_SETTINGS'] = JSON.stringify(settings);
    const { handler } = await import('../../edge/handler.ts');
    delete process.env['TOKENMESH_EDGE_SETTINGS'];
    const passed = await handler(edgeEvent('{"ssn":"123-45-6789"}'));
    const body = 'body' in passed && typeof passed.body === 'object' ? passed.body.data : '';
    expect(body).not.toContain('6789');
    expect(marksIn(body)).toHaveLength(1);
    expect(await handler(edgeEvent('{'))).toMatchObject({ status: '400' });
  });
});
