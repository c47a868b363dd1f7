import { CfnOutput, Duration } from 'aws-cdk-lib';
import { CfnCertificate } from 'aws-cdk-lib/aws-certificatemanager';
import { Rule, Schedule, type EventPattern } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { Key } from 'aws-cdk-lib/aws-kms';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import { CfnSecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Trigger } from 'aws-cdk-lib/triggers';
import type { Construct } from 'constructs';
import { certificateSourceOf } from '../../mesh/certificate-source.ts';
import { certificateRolesOf, hierarchyOf, identityOf } from '../../mesh/identity.ts';
import { tagsOf } from '../../pki/certificate-owner.ts';
import { secretNames } from '../../pki/secret.ts';
import { CRL_GENERATION } from '../../renewal/crl-handler.ts';
import { ROTATION_REQUESTED } from '../../renewal/event.ts';
import { deadLetterQueueName, type CertificateFunction } from '../access/arns.ts';
import type { KeyArns } from '../access/node-rights.ts';
import { functionLog, NodeFunction } from '../constructs/node-function.ts';
import type { Roles } from '../constructs/roles.ts';
import { deployedMembers } from '../nodes.ts';
import type { PkiStack } from './pki-stack.ts';
import { RegionStack, type RegionProps } from './region-stack.ts';

export interface CertificatesProps extends RegionProps {
  readonly keys: KeyArns;
  readonly roles: Roles;
  readonly pki: PkiStack;
}

/** The certificates, the functions that export and renew them, and the events that start those. */
export class CertificatesStack extends RegionStack {
  readonly functions: Readonly<Record<CertificateFunction, NodeFunction>>;
  readonly deadLetters: Queue;
  readonly #keys: KeyArns;
  readonly #logs: Readonly<Record<CertificateFunction, LogGroup>>;

  constructor(scope: Construct, props: CertificatesProps) {
    super(scope, 'certificates', 'certificates, their export and renewal', props);
    this.#keys = props.keys;
    this.deadLetters = new Queue(this, 'dead-letters', {
      queueName: deadLetterQueueName(this.mesh),
      encryption: QueueEncryption.KMS,
      encryptionMasterKey: Key.fromKeyArn(this, 'queue-key', props.keys.operations),
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    this.#logs = {
      exporter: functionLog(this, 'exporter', props.keys.operations),
      renewal: functionLog(this, 'renewal', props.keys.operations),
      crl: functionLog(this, 'crl', props.keys.operations),
    };
    this.functions = {
      exporter: this.#function(
        props.roles,
        'exporter',
        'cert-exporter/handler.ts',
        'brings certificates to their secrets',
        2,
      ),
      renewal: this.#function(props.roles, 'renewal', 'renewal/handler.ts', 'renews certificates', 15),
      crl: this.#function(props.roles, 'crl', 'renewal/crl-handler.ts', 'tells the sidecars of new CRLs', 1),
    };
    this.#rules();
    this.#exportAllOnce(props.roles, this.#certificates(props.pki));
    new CfnOutput(this, 'renewal-function', { value: this.functions.renewal.functionName });
  }

  #function(
    roles: Roles,
    name: CertificateFunction,
    entry: string,
    description: string,
    minutes: number,
  ): NodeFunction {
    return new NodeFunction(this, name, {
      name,
      entry,
      description,
      role: roles.functions[name].withoutPolicyUpdates(),
      timeout: Duration.minutes(minutes),
      logGroup: this.#logs[name],
      deadLetterQueue: this.deadLetters,
    });
  }

  /** Each kind of event to the function that reads it; `renewal/event.ts` knows no other. */
  #rules(): void {
    const acm = ['aws.acm'];
    this.#rule('available', 'exporter', 'a certificate was issued', {
      source: acm,
      detailType: ['ACM Certificate Available'],
      detail: { Action: [{ 'anything-but': ['RENEWAL'] }] },
    });
    this.#rule('renewed', 'renewal', 'ACM renewed a certificate', {
      source: acm,
      detailType: ['ACM Certificate Available'],
      detail: { Action: ['RENEWAL'] },
    });
    this.#rule('approaching', 'renewal', 'a certificate approaches its end, or passed it', {
      source: acm,
      detailType: [
        'ACM Certificate Approaching Expiration',
        'ACM Certificate Expired',
        'ACM Certificate Renewal Action Required',
      ],
    });
    this.#rule('requested', 'renewal', 'an operator wants a successor', {
      source: [ROTATION_REQUESTED.source],
      detailType: [ROTATION_REQUESTED.detailType],
    });
    this.#rule('crl', 'crl', 'a CA wrote its revocation list, or could not', {
      source: [CRL_GENERATION.source],
      detailType: [CRL_GENERATION.detailType],
    });
    new Rule(this, 'daily', {
      description: `${this.mesh.name}: events may be lost, so all certificates are looked at`,
      schedule: Schedule.rate(Duration.days(1)),
      targets: [new LambdaFunction(this.functions.renewal, { retryAttempts: 2 })],
    });
  }

  #rule(id: string, name: CertificateFunction, what: string, eventPattern: EventPattern): void {
    new Rule(this, `${id}-rule`, {
      description: `${this.mesh.name}: ${what}`,
      eventPattern,
      targets: [new LambdaFunction(this.functions[name], { retryAttempts: 2 })],
    });
  }

  /** A certificate and two empty secrets for each role of each member whose certificates ACM issues. */
  #certificates(pki: PkiStack): Construct[] {
    const members = deployedMembers(this.mesh, this.deployment).filter(
      (name) => certificateSourceOf(this.mesh, name).kind === 'acm-export',
    );
    return members.flatMap((node) =>
      certificateRolesOf(this.mesh, node).flatMap((role): Construct[] => {
        const names = secretNames(this.mesh.name, node, role);
        const secrets = (['certificate', 'passphrase'] as const).map(
          (kind) =>
            new CfnSecret(this, `${node}-${role}-${kind}-secret`, {
              name: names[kind],
              kmsKeyId: this.#keys.secrets,
              description: `${this.mesh.name}: ${kind} of ${node}, ${role}; the exporter writes it`,
            }),
        );
        const certificate = new CfnCertificate(this, `${node}-${role}-certificate`, {
          domainName: identityOf(this.mesh, node),
          certificateAuthorityArn: pki.hierarchies[hierarchyOf(role)].issuing.arn,
          keyAlgorithm: 'EC_prime256v1',
          tags: tagsOf({ mesh: this.mesh.name, node, role }).map(({ key, value }) => ({ key, value })),
        });
        return [...secrets, certificate];
      }),
    );
  }

  /** The deployment waits for it, and fails with it: no node starts without its certificates. */
  #exportAllOnce(roles: Roles, certificates: readonly Construct[]): void {
    const handler = new NodeFunction(this, 'first-export', {
      name: 'renewal',
      functionName: `${this.mesh.name}-first-export`,
      entry: 'renewal/reconcile-handler.ts',
      description: 'brings every certificate to its secret when the mesh is deployed',
      role: roles.functions.renewal.withoutPolicyUpdates(),
      timeout: Duration.minutes(10),
      logGroup: this.#logs.renewal,
    });
    new Trigger(this, 'export-all', {
      handler,
      timeout: Duration.minutes(10),
      executeAfter: [...certificates],
      executeOnHandlerChange: true,
    });
  }
}
