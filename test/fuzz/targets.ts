/** What is fuzzed: whatever reads bytes or texts of others, each with what it promises for all of them. */

import { createSecretKey } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { TokenmeshError } from '../../errors/error.ts';
import { renderBootstrap } from '../../mesh/envoy/bootstrap.ts';
import { nodeNames } from '../../mesh/identity.ts';
import { tokenizationMesh } from '../../mesh/tokenization-mesh.ts';
import { validateMesh } from '../../mesh/validate.ts';
import { readCertificates } from '../../pki/certificate.ts';
import { parseCertificateSecret } from '../../pki/secret.ts';
import { detectionPorts } from '../../sidecar/tokenizer/adapters/detection/detection-ports.ts';
import { contextBytes } from '../../sidecar/tokenizer/core/crypto/context-bytes.ts';
import { PROVIDER_ID } from '../../sidecar/tokenizer/core/crypto/data-key.ts';
import {
  MESSAGE_ID_BYTES,
  openMessage,
  readMessage,
  writeMessage,
} from '../../sidecar/tokenizer/core/crypto/message.ts';
import {
  marksIn,
  parseContent,
  parseMark,
  writeContent,
  writeMark,
} from '../../sidecar/tokenizer/core/marks/mark.ts';
import { panProblem } from '../../sidecar/tokenizer/core/pan.ts';
import { parseRateOverrides } from '../../sidecar/tokenizer/core/rate-overrides.ts';
import { FINDING_CLASSES } from '../../sidecar/tokenizer/core/text/finding.ts';
import { createFinder } from '../../sidecar/tokenizer/core/text/finder.ts';
import { tokensIn } from '../../sidecar/tokenizer/core/text/tokens-in-text.ts';
import { isToken, parseToken } from '../../sidecar/tokenizer/core/token.ts';
import { changedMesh, placementFor } from './changed-mesh.ts';
import type { Target } from './fuzzing.ts';

const TOKENS = [
  ...['tkn_bfqgfrkqsrtqnqsbgrjprbcdqddnltbmgmsfnkkc', 'TKN-SYD-3f0c1a52-7e0b-4b8e-9f6d-2c8a1b0e4d5f'],
  ...['3f0c1a52-7e0b-4b8e-9f6d-2c8a1b0e4d5f', '9011234567890123', '+15550100123', '900-12-1120'],
  'bfqgfrkqsrtqnqsbgrjprbcdqddnltbmgmsfnkkc@tokens.invalid',
];

const TEXTS = [
  'card 4111 1111 1111 1111, exp 12/30, cvv 123, of Zoë Nobody <zoe@example.org>',
  'call +1 (555) 010-0123 or 020 7946 0958 from 192.0.2.7 or 2001:db8::1',
  'iban DE89 3704 0044 0532 0130 00, ssn: 078-05-1120, card=4242%204242%204242%204242',
];

const DATA_KEY = createSecretKey(Buffer.alloc(32, 7));

const SEALED = writeMessage(
  {
    messageId: Buffer.alloc(MESSAGE_ID_BYTES, 1),
    context: contextBytes({ tenant: 'shop', token: 'a token', field: 'card', class: 'pan' }),
    wrappedDataKey: {
      providerId: PROVIDER_ID,
      providerInfo: Buffer.from('shop'),
      bytes: Buffer.alloc(92, 2),
    },
  },
  DATA_KEY,
  Buffer.from('4111111111111111'),
);

const MARK = writeMark({
  keyId: '0f8fad5b-d9cb-469f-a165-70867728950e',
  kind: 'd',
  sealed: Buffer.alloc(256, 3),
});

function require(holds: boolean, promise: string): void {
  if (!holds) throw new Error(`broken: ${promise}`);
}

/** Runs what may throw an error of ours, and nothing else. @returns Undefined where it did. */
function orRefused<Result>(work: () => Result): Result | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof TokenmeshError) return undefined;
    throw error;
  }
}

function isDisjoint(
  places: readonly { readonly start: number; readonly end: number }[],
  text: string,
): boolean {
  return places.every(({ start, end }, index) => {
    const before = places[index - 1]?.end ?? 0;
    return before <= start && start < end && end <= text.length;
  });
}

export const TARGETS: Readonly<Record<string, Target>> = {
  /** The codec: only what we sealed opens, and what cannot be read is told apart without an exception. */
  message: {
    seeds: [SEALED],
    run(bytes) {
      const message = readMessage(bytes);
      if (message === 'other') return;
      const opened = orRefused(() => openMessage(message, DATA_KEY));
      require(opened === undefined || bytes.equals(SEALED), 'a message that was changed does not open');
    },
  },
  /** The grammars of tokens: no text is a token and a card number, and a refusal quotes nothing. */
  token: {
    seeds: TOKENS,
    run(bytes) {
      const text = bytes.toString('utf8');
      const found = isToken(text);
      require(found === undefined || panProblem(text) !== undefined, 'no token is a valid card number');
      require((orRefused(() => parseToken(text)) === text) === (found !== undefined), 'both readers agree');
      const placed = tokensIn(text);
      require(isDisjoint(placed, text), 'tokens lie apart, within the text');
      require(placed.every(
        ({ token }) => isToken(token)?.certain === true,
      ), 'what is found is a token for certain');
    },
  },
  /** The scanner of texts: what it finds lies apart, within the text, and never in a token or mark of ours. */
  text: {
    seeds: [...TEXTS, `${TEXTS[0]} ${TOKENS[0]} ${MARK}`],
    async run(bytes) {
      const text = bytes.toString('utf8');
      const find = createFinder({ classes: new Set(FINDING_CLASSES), country: 'US' }, detectionPorts);
      const findings = await find(text).catch((error: unknown) => {
        if (error instanceof TokenmeshError) return [];
        throw error;
      });
      require(isDisjoint(findings, text), 'findings lie apart, within the text');
      const ours = [...tokensIn(text), ...marksIn(text)];
      const isApart = findings.every(({ start, end }) =>
        ours.every((own) => end <= own.start || own.end <= start),
      );
      require(isApart, 'nothing of a token or mark is found');
    },
  },
  /** Marks of the edge: what is read is what was written. */
  mark: {
    seeds: [MARK, MARK.replace('.d.', '.h.'), writeContent({ class: 'pan', tenant: 'shop', value: '4111' })],
    run(bytes) {
      const text = bytes.toString('utf8');
      const placed = marksIn(text);
      require(isDisjoint(placed, text), 'marks lie apart, within the text');
      for (const each of placed) {
        const mark = parseMark(each.text);
        require(mark !== undefined, 'what is found is a mark');
        const again = mark === undefined ? undefined : parseMark(writeMark(mark));
        require(again !== undefined &&
          again.sealed.equals(mark?.sealed ?? Buffer.alloc(0)), 'a mark is read as written');
      }
      const content = parseContent(bytes);
      if (content !== undefined) {
        require(isDeepStrictEqual(
          parseContent(writeContent(content)),
          content,
        ), 'a content is read as written');
      }
    },
  },
  /** The validation of the mesh: it never fails by itself, and what it lets through can be rendered for every node. */
  mesh: {
    seeds: [Buffer.alloc(4), Buffer.from('a node, renamed'), Buffer.alloc(12, 0x55), Buffer.alloc(24, 0xa7)],
    run(bytes) {
      const mesh = changedMesh(bytes);
      const problems = validateMesh(mesh);
      require(problems.every(
        ({ path, message, remedy }) => path !== '' && message !== '' && remedy !== '',
      ), 'a problem says where and what to do');
      if (problems.length > 0) return;
      for (const name of nodeNames(mesh)) renderBootstrap(mesh, name, placementFor(mesh));
    },
  },
  /** What comes from Secrets Manager and from the environment: refused by an error of ours, or read. */
  settings: {
    seeds: [
      JSON.stringify({
        certificate: 'a',
        chain: 'b',
        encryptedPrivateKey: 'c',
        serial: '0f',
        certificateArn: 'd',
        passphraseVersionId: 'e',
      }),
      '{"paybill":{"detokenize":{"perSecond":200,"burst":2000}}}',
      '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n',
    ],
    run(bytes) {
      const text = bytes.toString('utf8');
      orRefused(() => parseCertificateSecret('tokenmesh/order/client/certificate', text));
      const { problems, overrides } = parseRateOverrides(text, tokenizationMesh);
      require(problems.length === 0 ||
        Object.keys(overrides).length === 0, 'a limit that is not valid overrides nothing');
      readCertificates(text);
    },
  },
};
