import { createPublicKey, type KeyObject } from 'node:crypto';
import { Type, type Static } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { TokenmeshError } from '../errors/error.ts';
import { FIELD_CLASS_NAMES, type FieldClass } from '../sidecar/tokenizer/core/field-class.ts';

/** What the function has to be told when it is built: Lambda@Edge has no environment variables. */
const EdgeSettings = Type.Object(
  {
    /** Of the KMS key, as its ARN ends. */
    keyId: Type.RegExp(/^(?:mrk-[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/),
    /** PEM, as GetPublicKey gives it. */
    publicKey: Type.String(),
    /** Whose values they become: marks open for this tenant alone. */
    tenant: Type.String({ minLength: 1, maxLength: 128 }),
    routes: Type.Array(
      Type.Object(
        {
          methods: Type.Array(Type.RegExp(/^(?:POST|PUT|PATCH)$/), { minItems: 1 }),
          /** A path, or the beginning of paths where it ends in `*`. */
          path: Type.RegExp(/^\/[^*?]*\*?$/),
          fields: Type.Array(
            Type.Object(
              {
                /** Names of members with dots between them, from the inside out: `card.number` also below `order`. */
                name: Type.RegExp(/^[^.]+(?:\.[^.]+)*$/),
                class: Type.Union(FIELD_CLASS_NAMES.map((name) => Type.Literal(name))),
              },
              { additionalProperties: false },
            ),
            { minItems: 1 },
          ),
        },
        { additionalProperties: false },
      ),
      { minItems: 1 },
    ),
  },
  { additionalProperties: false },
);

export type EdgeSettings = Static<typeof EdgeSettings>;

export interface EdgeField {
  /** The names, outermost first. */
  readonly names: readonly string[];
  readonly class: FieldClass;
}

export interface EdgeRoute {
  readonly methods: ReadonlySet<string>;
  readonly path: string;
  readonly fields: readonly EdgeField[];
}

export interface EdgeConfig {
  readonly keyId: string;
  readonly publicKey: KeyObject;
  readonly tenant: string;
  readonly routes: readonly EdgeRoute[];
}

const LEAST_MODULUS_BITS = 2048;

/** @throws {TokenmeshError} `ERR_EDGE_SETTINGS`, with every problem at once. */
export function readEdgeConfig(text: string | undefined): EdgeConfig {
  const settings = parse(text);
  const problems = [...Value.Errors(EdgeSettings, settings)].map(({ path }) => `${path || '/'} is not valid`);
  if (problems.length > 0) throw unusable(problems);
  const { keyId, publicKey, tenant, routes } = settings as EdgeSettings;
  return {
    keyId,
    publicKey: readKey(publicKey),
    tenant,
    routes: routes.map(({ methods, path, fields }) => ({
      methods: new Set(methods),
      path,
      fields: fields.map(({ name, class: fieldClass }) => ({
        names: name.split('.'),
        class: fieldClass,
      })),
    })),
  };
}

function parse(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    throw unusable(['they are not JSON']);
  }
}

function readKey(pem: string): KeyObject {
  try {
    const key = createPublicKey(pem);
    const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
    if (key.asymmetricKeyType === 'rsa' && bits >= LEAST_MODULUS_BITS) return key;
  } catch {
    // Told below, as every other key that is none.
  }
  throw unusable([`/publicKey is no RSA key of ${LEAST_MODULUS_BITS} bits or more, in PEM`]);
}

function unusable(problems: readonly string[]): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_EDGE_SETTINGS',
    message: `the settings of the edge function are not usable: ${problems.join('; ')}`,
    remedy: 'correct them where the function is built: docs/edge.md shows them all',
  });
}
