/**
 * The ARNs of what is found by its name, so that a right can be written down before the thing is made.
 *
 * @module
 */

import { ArnFormat, Stack } from 'aws-cdk-lib';
import type { Hierarchy, Mesh } from '../../mesh/definition.ts';
import { certificateRolesOf, HIERARCHIES, memberNames } from '../../mesh/identity.ts';
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
  return HIERARCHIES.map((hierarchy) => trustSecretArn(stack, mesh, hierarchy));
}

export function denyListArn(stack: Stack, mesh: Mesh): string {
  return secretArn(stack, denyListSecretName(mesh.name));
}

export function authoritiesArn(stack: Stack, mesh: Mesh): string {
  return secretArn(stack, authoritiesSecretName(mesh.name));
}

export function trustSecretArn(stack: Stack, mesh: Mesh, hierarchy: Hierarchy): string {
  return secretArn(stack, trustSecretName(mesh.name, hierarchy));
}

/** The secrets of a node's or a function's certificates, of each role that it has. */
export function memberSecretArns(
  stack: Stack,
  mesh: Mesh,
  memberName: string,
  kinds: readonly ('certificate' | 'passphrase')[] = ['certificate', 'passphrase'],
): string[] {
  return certificateRolesOf(mesh, memberName).flatMap((role) =>
    kinds.map((kind) => secretArn(stack, secretNames(mesh.name, memberName, role)[kind])),
  );
}

/** What the exporter writes: the certificates, or the passphrases, of every node and function. */
export function everySecretArn(
  stack: Stack,
  mesh: Mesh,
  kinds: readonly ('certificate' | 'passphrase')[],
): string[] {
  return memberNames(mesh).flatMap((name) => memberSecretArns(stack, mesh, name, kinds));
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

/** The functions of the certificates, which events start. */
export type CertificateFunction = 'exporter' | 'renewal' | 'crl';

export type FunctionName = CertificateFunction | 'tenant-keys' | 'bulk' | 'migrations';

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

/** FIFO where the parts of a load are to be in order; as a local run names them. */
export const BULK_QUEUE_SUFFIXES = ['', '.fifo'] as const;

export type BulkQueueSuffix = (typeof BULK_QUEUE_SUFFIXES)[number];

export function bulkQueueName(mesh: Mesh, kind: 'parts' | 'dead', suffix: BulkQueueSuffix): string {
  return `${mesh.name}-bulk${kind === 'dead' ? '-dead' : ''}${suffix}`;
}

export function bulkQueueArns(stack: Stack, mesh: Mesh, kind: 'parts' | 'dead'): string[] {
  return BULK_QUEUE_SUFFIXES.map((suffix) =>
    stack.formatArn({ service: 'sqs', resource: bulkQueueName(mesh, kind, suffix) }),
  );
}

export function bulkResultsBucketName(stack: Stack, mesh: Mesh): string {
  return `${mesh.name}-bulk-results-${stack.account}-${stack.region}`;
}

export function bulkResultsArns(
  stack: Stack,
  mesh: Mesh,
): { readonly bucket: string; readonly objects: string } {
  const bucket = `arn:${stack.partition}:s3:::${bulkResultsBucketName(stack, mesh)}`;
  return { bucket, objects: `${bucket}/loads/*` };
}
