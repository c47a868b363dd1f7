/**
 * The ARNs of what is found by its name, so that a right can be written down before the thing is made.
 *
 * @module
 */

import { ArnFormat, Stack } from 'aws-cdk-lib';
import type { CertificateRole, Mesh } from '../../mesh/definition.ts';
import { CERTIFICATE_ROLES, HIERARCHIES, nodeNames } from '../../mesh/identity.ts';
import { authoritiesSecretName, denyListSecretName } from '../../pki/revocation.ts';
import { secretNames, trustSecretName } from '../../pki/secret.ts';
import { EVENT_BUS } from '../../sidecar/event-bus.ts';
import { EXPIRY_INDEX } from '../../sidecar/tokenizer/adapters/dynamodb-sweep-store.ts';
import { TABLES, type TableRole } from '../../sidecar/tables.ts';

export function tableArn(stack: Stack, role: TableRole): string {
  return stack.formatArn({ service: 'dynamodb', resource: 'table', resourceName: TABLES[role] });
}

export function expiryIndexArn(stack: Stack): string {
  return `${tableArn(stack, 'tokens')}/index/${EXPIRY_INDEX}`;
}

export function eventBusArn(stack: Stack): string {
  return stack.formatArn({ service: 'events', resource: 'event-bus', resourceName: EVENT_BUS });
}

/** Secrets Manager puts a hyphen and six characters of its own behind a name. */
export function secretArn(stack: Stack, name: string): string {
  return stack.formatArn({
    service: 'secretsmanager',
    resource: 'secret',
    resourceName: `${name}-??????`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
}

export function trustSecretArns(stack: Stack, mesh: Mesh): string[] {
  return HIERARCHIES.map((hierarchy) => secretArn(stack, trustSecretName(mesh.name, hierarchy)));
}

export function denyListArn(stack: Stack, mesh: Mesh): string {
  return secretArn(stack, denyListSecretName(mesh.name));
}

export function authoritiesArn(stack: Stack, mesh: Mesh): string {
  return secretArn(stack, authoritiesSecretName(mesh.name));
}

/** The secrets of a node's certificates, of both roles. */
export function nodeSecretArns(
  stack: Stack,
  mesh: Mesh,
  nodeName: string,
  kinds: readonly ('certificate' | 'passphrase')[] = ['certificate', 'passphrase'],
): string[] {
  return CERTIFICATE_ROLES.flatMap((role: CertificateRole) =>
    kinds.map((kind) => secretArn(stack, secretNames(mesh.name, nodeName, role)[kind])),
  );
}

/** What the exporter writes: the certificates, or the passphrases, of every node. */
export function everyNodeSecretArn(
  stack: Stack,
  mesh: Mesh,
  kinds: readonly ('certificate' | 'passphrase')[],
): string[] {
  return nodeNames(mesh).flatMap((nodeName) => nodeSecretArns(stack, mesh, nodeName, kinds));
}

export function certificateArns(stack: Stack): string {
  return stack.formatArn({ service: 'acm', resource: 'certificate', resourceName: '*' });
}

export function crlBucketName(stack: Stack, mesh: Mesh): string {
  return `${mesh.name}-crls-${stack.account}-${stack.region}`;
}

export function crlObjectsArn(stack: Stack, mesh: Mesh): string {
  return `arn:${stack.partition}:s3:::${crlBucketName(stack, mesh)}/crl/*`;
}

export type FunctionName = 'exporter' | 'renewal' | 'crl' | 'tenant-keys';

export function functionName(mesh: Mesh, name: FunctionName): string {
  return `${mesh.name}-${name}`;
}

export function functionLogGroup(mesh: Mesh, name: FunctionName): string {
  return `/${mesh.name}/functions/${name}`;
}

export function logGroupArn(stack: Stack, name: string): string {
  return stack.formatArn({
    service: 'logs',
    resource: 'log-group',
    resourceName: `${name}:*`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
}

export function deadLetterQueueName(mesh: Mesh): string {
  return `${mesh.name}-renewal-dead-letters`;
}
