/**
 * `mesh keys import`, `parameters`, `material` and `delete-material`: key material of one's own, in every
 * region of a KMS key.
 *
 * @module
 */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KMSClient } from '@aws-sdk/client-kms';
import type { Command } from 'commander';
import { Sensitive } from '../pki/sensitive.ts';
import { emulatorClients } from './aws-clients.ts';
import {
  deleteMaterial,
  describeExternalKey,
  importMaterial,
  importWrapped,
  parametersForImport,
  type ExternalKey,
} from './key-import.ts';
import { deletionUnconfirmed, expiryUnusable, keyNotNamed } from './key-import-problems.ts';
import type { KeysCommandParts } from './keys.ts';
import { readStandardInputBytes } from './vault-call.ts';

export interface KeyMaterialCommandParts extends KeysCommandParts {
  readonly onlyStandardInput: (argument: string) => void;
}

interface KeyOptions {
  readonly key?: string;
  readonly region?: string;
  readonly aws?: boolean;
  readonly json?: boolean;
}

/** KMS takes a time within a year (API reference, ImportKeyMaterial, ValidTo). */
const EXPIRY_AT_MOST_MS = 365 * 86_400_000;

const TOKEN_FILE = 'import-token.bin';
const WRAPPING_KEY_FILE = 'wrapping-key.pem';

export function addKeyMaterialCommands(keys: Command, parts: KeyMaterialCommandParts): void {
  addImport(keys, parts);
  addParameters(keys, parts);
  addMaterial(keys, parts);
  addDelete(keys, parts);
}

function withKeyOptions(command: Command): Command {
  return command
    .option('--key <key>', "id, ARN or alias of a key of origin EXTERNAL (default: the running mesh's own)")
    .option('--region <region>', 'one region alone (default: every region that the key is in)')
    .option('--aws', 'the AWS account of the environment, in place of the running mesh; needs --key')
    .option('--json', 'print one JSON document');
}

interface ImportOptions extends KeyOptions {
  readonly expires?: string;
  readonly parameters?: string;
}

function addImport(keys: Command, parts: KeyMaterialCommandParts): void {
  const command = keys
    .command('import')
    .description('bring the key material on standard input, 32 bytes, into a KMS key of origin EXTERNAL')
    .argument('<input>', '- for standard input: key material is not taken as an argument')
    .option(
      '--expires <time>',
      'when KMS forgets the material, such as 2027-01-31T00:00:00Z (default: never)',
    )
    .option(
      '--parameters <directory>',
      'standard input is wrapped already, under the wrapping key that keys parameters wrote there',
    );
  withKeyOptions(command).action(async (input: string, options: ImportOptions) => {
    parts.onlyStandardInput(input);
    const expiresAt = options.expires === undefined ? undefined : expiryOf(options.expires, new Date());
    const given = new Sensitive<Uint8Array>(await readStandardInputBytes());
    const there = await findKey(parts, options);
    for (const region of there.regions) {
      const kms = there.kmsOf(region);
      if (options.parameters === undefined) {
        await importMaterial(kms, there.keyId, given, expiresAt);
      } else {
        const token = await readFile(join(options.parameters, TOKEN_FILE));
        await importWrapped(kms, there.keyId, { wrapped: given.reveal(), token, expiresAt });
      }
    }
    await tell(parts, there, options);
  });
}

function addParameters(keys: Command, parts: KeyMaterialCommandParts): void {
  const command = keys
    .command('parameters')
    .description(
      'get what is needed to wrap key material elsewhere: a wrapping key and an import token, for a day',
    )
    .argument('<directory>', `where ${WRAPPING_KEY_FILE} and ${TOKEN_FILE} are written`);
  withKeyOptions(command).action(async (directory: string, options: KeyOptions) => {
    const there = await findKey(parts, options);
    const [region = ''] = there.regions;
    const { wrappingKey, token, validTo } = await parametersForImport(there.kmsOf(region), there.keyId);
    await writeFile(join(directory, WRAPPING_KEY_FILE), wrappingKey);
    await writeFile(join(directory, TOKEN_FILE), token);
    parts.print(
      options.json === true
        ? JSON.stringify({ region, wrappingKey: WRAPPING_KEY_FILE, token: TOKEN_FILE, validTo }, null, 2)
        : [
            `${region}: ${WRAPPING_KEY_FILE} and ${TOKEN_FILE} written, good until ${validTo.toISOString()}`,
            `wrap the material by RSAES_OAEP_SHA_256, then: npm run mesh -- keys import - --region ${region} --parameters ${directory} < wrapped.bin`,
          ].join('\n'),
    );
  });
}

function addMaterial(keys: Command, parts: KeyMaterialCommandParts): void {
  const command = keys
    .command('material')
    .description('show in which regions a KMS key of origin EXTERNAL has its material, and until when');
  withKeyOptions(command).action(async (options: KeyOptions) => {
    await tell(parts, await findKey(parts, options), options);
  });
}

function addDelete(keys: Command, parts: KeyMaterialCommandParts): void {
  const command = keys
    .command('delete-material')
    .description('have KMS forget the material: nothing opens until the same is imported again')
    .option('--yes', 'do it');
  withKeyOptions(command).action(async (options: KeyOptions & { yes?: boolean }) => {
    if (options.yes !== true) throw deletionUnconfirmed();
    const there = await findKey(parts, options);
    for (const region of there.regions) await deleteMaterial(there.kmsOf(region), there.keyId);
    await tell(parts, there, options);
  });
}

interface FoundKey {
  readonly keyId: string;
  readonly regions: readonly string[];
  readonly kmsOf: (region: string) => KMSClient;
}

/** The key where it is asked about first, and from there every region that has it. */
async function findKey({ runningMesh }: KeyMaterialCommandParts, options: KeyOptions): Promise<FoundKey> {
  const place = options.aws === true ? placeOnAws(options) : placeInRun(runningMesh(), options);
  const { arn, regions } = await describeExternalKey(place.kmsOf(place.region), place.keyId);
  return {
    // The same in every region, which an ARN is not; an alias may lead elsewhere there.
    keyId: arn.slice(arn.indexOf('/') + 1),
    regions: options.region === undefined ? regions : [options.region],
    kmsOf: place.kmsOf,
  };
}

interface Place {
  readonly keyId: string;
  readonly region: string;
  readonly kmsOf: (region: string) => KMSClient;
}

function placeOnAws({ key, region }: KeyOptions): Place {
  if (key === undefined) throw keyNotNamed();
  const own = region ?? (key.startsWith('arn:') ? key.split(':')[3] : process.env['AWS_REGION']);
  if (own === undefined) throw keyNotNamed();
  return { keyId: key, region: own, kmsOf: (each) => new KMSClient({ region: each }) };
}

function placeInRun(
  { aws, vaultKeyArn }: ReturnType<KeyMaterialCommandParts['runningMesh']>,
  { key, region }: KeyOptions,
): Place {
  return {
    keyId: key ?? vaultKeyArn.slice(vaultKeyArn.indexOf('/') + 1),
    region: region ?? aws.region,
    kmsOf: (each) => emulatorClients(aws.endpointUrl, each).kms,
  };
}

async function tell(
  { print }: KeyMaterialCommandParts,
  { keyId, regions, kmsOf }: FoundKey,
  { json }: KeyOptions,
): Promise<void> {
  const found: ExternalKey[] = [];
  for (const region of regions) found.push(await describeExternalKey(kmsOf(region), keyId));
  if (json === true) {
    print(JSON.stringify({ key: keyId, regions: found.map(factsOf) }, null, 2));
    return;
  }
  print(found.map((each) => `${regionOf(each)}: ${wordsOf(each)}`).join('\n'));
}

function factsOf(key: ExternalKey): object {
  const { state, expiresAt } = key;
  return { region: regionOf(key), state, ...(expiresAt === undefined ? {} : { expiresAt }) };
}

function regionOf({ arn }: ExternalKey): string {
  return arn.split(':')[3] ?? '';
}

function wordsOf({ state, expiresAt }: ExternalKey): string {
  if (state === 'PendingImport') return 'has no material: nothing is sealed or opened under it';
  const until = expiresAt === undefined ? 'does not expire' : `expires ${expiresAt.toISOString()}`;
  return `${state}, its material ${until}`;
}

/** @throws {TokenmeshError} `ERR_MATERIAL_EXPIRY` */
function expiryOf(text: string, now: Date): Date {
  const time = /^\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:?\d\d)$/.test(text) ? Date.parse(text) : Number.NaN;
  const away = time - now.getTime();
  if (!(away > 0 && away <= EXPIRY_AT_MOST_MS)) throw expiryUnusable();
  return new Date(time);
}
