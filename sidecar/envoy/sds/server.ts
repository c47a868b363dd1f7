/**
 * Hands secrets to Envoy over gRPC on a Unix socket, out of this process's memory.
 *
 * Whoever may connect gets the keys: the socket has mode 0600, and stands in a directory that only the
 * sidecar's own user may enter, so that nobody connects between the socket's making and its mode.
 *
 * @module
 */

import { chmod, mkdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  loadPackageDefinition,
  logVerbosity,
  Server,
  ServerCredentials,
  setLogVerbosity,
  status,
  type GrpcObject,
  type ServerDuplexStream,
  type ServiceClientConstructor,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { TokenmeshError } from '../../../errors/error.ts';
import { SECRET_TYPE } from '../../../mesh/envoy/sds.ts';
import type { SecretPublisher } from './publisher.ts';
import type { SecretRequest, VersionedSecret } from './stream.ts';

// What fails here is told in this project's own way: the library would print lines of its own.
setLogVerbosity(logVerbosity.NONE);

interface DiscoveryRequest {
  readonly resource_names: readonly string[];
  readonly type_url: string;
  readonly response_nonce: string;
  readonly error_detail: { readonly message: string } | null;
}

interface DiscoveryResponse {
  readonly version_info: string;
  readonly resources: readonly { readonly type_url: string; readonly value: object }[];
  readonly type_url: string;
  readonly nonce: string;
}

type Wire = ServerDuplexStream<DiscoveryRequest, DiscoveryResponse>;

/** @throws {TokenmeshError} `ERR_SDS_SOCKET`, where the socket cannot be made, or not for this user alone. */
export async function serveSecrets(
  socket: string,
  publisher: SecretPublisher,
): Promise<{ close(): Promise<void> }> {
  await mkdir(dirname(socket), { recursive: true, mode: 0o700 });
  await requirePrivate(dirname(socket));
  await rm(socket, { force: true });
  const server = new Server();
  server.addService(serviceDefinition(), { StreamSecrets: (wire: Wire) => serveStream(wire, publisher) });
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(notServed(socket, error)),
    );
  });
  await chmod(socket, 0o600);
  return {
    async close() {
      server.forceShutdown();
      await rm(socket, { force: true });
    },
  };
}

const OTHERS = 0o077;

async function requirePrivate(directory: string): Promise<void> {
  const { mode } = await stat(directory);
  if ((mode & OTHERS) === 0) return;
  throw new TokenmeshError({
    code: 'ERR_SDS_SOCKET',
    message: `secrets are not served in ${directory}: expected a directory that its own user alone may enter, got mode ${(mode & 0o777).toString(8)}`,
    remedy: 'give the socket a directory of its own, of mode 700: sdsSocket in the placement',
  });
}

function notServed(socket: string, cause: Error): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_SDS_SOCKET',
    message: `secrets cannot be served on ${socket} (${Buffer.byteLength(socket)} bytes): ${cause.message.slice(0, 200)}`,
    remedy: 'name a path that can be written to, of at most 103 bytes: sdsSocket in the placement',
    cause,
  });
}

function serveStream(wire: Wire, publisher: SecretPublisher): void {
  const stream = publisher.open((secrets, nonce) => wire.write(responseOf(secrets, nonce)));
  const end = (): void => publisher.close(stream);
  wire.on('data', (request: DiscoveryRequest) => {
    if (request.type_url === '' || request.type_url === SECRET_TYPE) stream.receive(requestOf(request));
    else wire.emit('error', { code: status.INVALID_ARGUMENT, details: `only ${SECRET_TYPE} is served here` });
  });
  wire.on('end', () => {
    end();
    wire.end();
  });
  wire.on('cancelled', end);
  wire.on('error', end);
}

function requestOf({ resource_names, response_nonce, error_detail }: DiscoveryRequest): SecretRequest {
  return {
    resourceNames: resource_names,
    responseNonce: response_nonce,
    ...(error_detail === null ? {} : { refusal: error_detail.message }),
  };
}

function responseOf(secrets: readonly VersionedSecret[], nonce: string): DiscoveryResponse {
  return {
    version_info: String(Math.max(...secrets.map(({ version }) => version))),
    resources: secrets.map(({ secret }) => ({ type_url: SECRET_TYPE, value: secret })),
    type_url: SECRET_TYPE,
    nonce,
  };
}

function serviceDefinition(): ServiceClientConstructor['service'] {
  const loaded = loadPackageDefinition(
    loadSync(join(import.meta.dirname, 'secret-discovery.proto'), { keepCase: true, defaults: true }),
  );
  const found = 'envoy.service.secret.v3.SecretDiscoveryService'
    .split('.')
    .reduce<unknown>((inside, name) => (inside as GrpcObject)[name], loaded);
  return (found as ServiceClientConstructor).service;
}
