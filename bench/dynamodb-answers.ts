/**
 * A process that answers every call as DynamoDB answers a write, and does nothing. Prints its port, and its
 * certificate with `https`; ends with its standard input.
 *
 * @module
 */

import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { SubjectAlternativeNameExtension, X509CertificateGenerator } from '@peculiar/x509';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

const answer: RequestListener = (request, response) => {
  request.resume();
  request.on('end', () => {
    response.writeHead(200, {
      'content-type': 'application/x-amz-json-1.0',
      'x-amzn-requestid': 'VKO5K1GUVKQC7JQ2L5R5V3C0VJVV4KQNSO5AEMVJF66Q9ASUAAJG',
      'x-amz-crc32': '2745614147',
      'content-length': '2',
    });
    response.end('{}');
  });
};

async function serverFor(protocol: string): Promise<{ server: Server; certificate?: string }> {
  if (protocol === 'http') return { server: createHttpServer(answer) };
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=localhost',
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [new SubjectAlternativeNameExtension([{ type: 'dns', value: 'localhost' }])],
  });
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  const key = `-----BEGIN PRIVATE KEY-----\n${der}\n-----END PRIVATE KEY-----\n`;
  const cert = certificate.toString('pem');
  return { server: createHttpsServer({ key, cert }, answer), certificate: cert };
}

const { server, certificate } = await serverFor(process.argv[2] ?? 'http');
server.keepAliveTimeout = 60_000;
server.listen(0, 'localhost', () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`${JSON.stringify({ port, certificate })}\n`);
});
process.stdin.on('end', () => process.exit()).resume();
