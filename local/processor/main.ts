/** The stand-in for a payment processor: somebody else's service, outside the mesh, over one-way TLS. */

import { createSecretKey, randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { runListener } from '../../sample-apps/app-process.ts';
import { Charges } from './charges.ts';
import { readConfig } from './config.ts';
import { listenWithTls } from './https.ts';
import { createProcessorServer } from './routes.ts';

await runListener('processor', async (logger) => {
  const config = readConfig(process.env);
  const charges = new Charges({
    fingerprintKey: createSecretKey(randomBytes(32)),
    newId: () => `ch_${randomUUID()}`,
    newAuthorization: () => randomBytes(3).toString('hex').toUpperCase(),
  });
  const listener = await listenWithTls(createProcessorServer({ charges, logger, now: () => new Date() }), {
    certificate: readFileSync(config.certificateFile, 'utf8'),
    key: readFileSync(config.keyFile, 'utf8'),
    port: config.port,
  });
  return { at: { port: listener.port }, close: listener.close };
});
