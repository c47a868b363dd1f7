/** KMS fails, in every way that it can. Keys are held for five seconds here, an hour by default. */

import {
  CancelKeyDeletionCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms';
import type { Harm } from '../faulty-aws.ts';
import type { Outage } from './outage.ts';
import type { OwnMesh } from './own-mesh.ts';

/** Longer than a key is held. */
const SECONDS = 8;

/** Without a key nothing is sealed; without the audit's nothing is handed out. */
const REFUSALS = ['503 ERR_KEY_UNAVAILABLE', '503 ERR_AUDIT_UNAVAILABLE'];

function harmed(title: string, harm: Harm, more: Partial<Outage> & { readonly share?: number } = {}): Outage {
  const { share = 1, ...others } = more;
  return {
    title,
    seconds: SECONDS,
    begin: async ({ faults }) => faults.set({ service: 'kms', share, harm }),
    mayGet: REFUSALS,
    ...others,
  };
}

/** A key in a state in which KMS refuses to use it. */
function refused(
  title: string,
  refuse: (mesh: OwnMesh) => Promise<unknown>,
  back: (mesh: OwnMesh) => Promise<unknown>,
): Outage {
  return {
    title,
    seconds: SECONDS,
    async begin(mesh) {
      const before = mesh.faults.calls('Decrypt');
      await refuse(mesh);
      return async () => {
        await back(mesh);
        return mesh.faults.calls('Decrypt') - before;
      };
    },
    mayGet: REFUSALS,
    mustGet: ['503 ERR_KEY_UNAVAILABLE'],
  };
}

const ofVault = ({ state }: OwnMesh): { readonly KeyId: string } => ({ KeyId: state.vaultKeyArn });

export const KMS_FAULTS: Readonly<Record<string, Outage>> = {
  'kms-down': harmed('KMS is down: every call is cut off', 'cut before', {
    mustGet: ['503 ERR_KEY_UNAVAILABLE'],
  }),
  'kms-slow': harmed('KMS is slow: an answer takes 1.2 s', { slowByMs: 1_200 }),
  'kms-silent': harmed(
    'KMS is silent: an answer takes 20 s',
    { slowByMs: 20_000 },
    { mustGet: ['503 ERR_KEY_UNAVAILABLE'] },
  ),
  'kms-throttled': harmed(
    'KMS throttles two calls of three',
    { answer: 'ThrottlingException' },
    { share: 2 / 3 },
  ),
  'kms-disabled': refused(
    'the key of the vault is disabled',
    async (mesh) => await mesh.aws.kms.send(new DisableKeyCommand(ofVault(mesh))),
    async (mesh) => await mesh.aws.kms.send(new EnableKeyCommand(ofVault(mesh))),
  ),
  'kms-pending-deletion': refused(
    'the key of the vault is about to be deleted, and is saved',
    async (mesh) =>
      await mesh.aws.kms.send(new ScheduleKeyDeletionCommand({ ...ofVault(mesh), PendingWindowInDays: 7 })),
    async (mesh) => {
      await mesh.aws.kms.send(new CancelKeyDeletionCommand(ofVault(mesh)));
      // KMS leaves a key that was saved disabled.
      await mesh.aws.kms.send(new EnableKeyCommand(ofVault(mesh)));
    },
  ),
};
