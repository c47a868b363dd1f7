import type { Mesh } from '../../mesh/definition.ts';
import { createCedarPolicy } from '../../sidecar/tokenizer/adapters/cedar-policy.ts';
import {
  compileWithMesh,
  policiesDirectoryIn,
  readPolicyFiles,
} from '../../sidecar/tokenizer/adapters/policy-files.ts';
import { FIELD_CLASS_NAMES } from '../../sidecar/tokenizer/core/field-class.ts';
import { simulate, SIMULATED_OPERATIONS } from '../policy-simulation.ts';

/** What the policy grants for one operation, as a request that names no purpose would get it. */
export interface VaultRight {
  readonly operation: string;
  /** Of a reveal: the form. */
  readonly form?: string;
  readonly classes: readonly string[];
  /** Every policy that decided for these classes. */
  readonly policyIds: readonly string[];
  /** Why not, where there are no classes. */
  readonly reason?: string;
}

/** Reveals are asked for as callers do, in the plainest form that they get. */
const ASKED = SIMULATED_OPERATIONS.filter((operation) => !operation.startsWith('reveal-'));

/** Every operation and class, asked of the policies that the tokenizer reads. */
export async function vaultRights(
  mesh: Mesh,
  caller: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<VaultRight[]> {
  const policy = createCedarPolicy(
    compileWithMesh(mesh, await readPolicyFiles(policiesDirectoryIn(environment))),
  );
  return ASKED.flatMap((operation): VaultRight[] => {
    const decisions = FIELD_CLASS_NAMES.map((fieldClass) =>
      simulate(mesh, policy, { who: caller, operation, class: fieldClass }),
    );
    const granted = decisions.filter(({ permitted }) => permitted);
    if (granted.length === 0) {
      const [first] = decisions;
      return [
        { operation, classes: [], policyIds: first?.policyIds ?? [], reason: first?.reason ?? 'no class' },
      ];
    }
    const forms = [...new Set(granted.map(({ form }) => form))];
    return forms.map((form) => {
      const ofForm = granted.filter((each) => each.form === form);
      return {
        operation,
        ...(form === undefined ? {} : { form }),
        classes: ofForm.map((each) => each.class),
        policyIds: [...new Set(ofForm.flatMap(({ policyIds }) => policyIds))],
      };
    });
  });
}
