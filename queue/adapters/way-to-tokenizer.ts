import { Agent, type Dispatcher } from 'undici';
import type { Mesh } from '../../mesh/definition.ts';
import { memberOf } from '../../mesh/edges.ts';
import type { SocketAddress } from '../../mesh/envoy/types.ts';
import { identityOf } from '../../mesh/identity.ts';
import { openCredentials } from '../../pki/opened-credentials.ts';
import type { CertificateSource } from '../../sidecar/envoy/cert-agent/ports.ts';
import {
  createTokenizerClient,
  type MeshTokenizer,
} from '../../sidecar/tokenizer/client/tokenizer-client.ts';
import type { BulkTokenizer } from '../ports.ts';

export interface WayOptions {
  readonly mesh: Mesh;
  /** The function's own certificates. */
  readonly source: CertificateSource;
  /** Where the tokenizer's listener is, where its name does not lead there. @default its name, found by DNS */
  readonly endpoint?: SocketAddress;
  /** For a whole batch. */
  readonly deadlineMs: number;
  readonly now: () => Date;
  /** The secrets could not be had, and what is known of them stays in use. @default nobody is told */
  readonly onKept?: (error: unknown) => void;
}

/** How old what is known of the certificates may be: a renewed one is in use after this long. */
const FRESH_MS = 60_000;

interface Way {
  readonly tokenizer: MeshTokenizer;
  readonly dispatcher: Dispatcher;
  /** Of the secrets that it was made from. */
  readonly version: string;
  readonly seenAtMs: number;
}

/**
 * The tokenizer, over mutual TLS from this process itself: a function has no Envoy beside it.
 *
 * It proves itself under its own client certificate and takes nobody but the tokenizer under the servers' root:
 * what an Envoy of the mesh does, but for revocation lists, which Node checks only where it has one of every CA.
 *
 * Calls at one moment look for the secrets once. A way that there is outlasts secrets that cannot be had.
 *
 * @throws {TokenmeshError} `ERR_SECRET_MISSING`, `ERR_SECRET_UNREADABLE`, `ERR_SECRET_UNUSABLE` by each call,
 *   until they have been had once.
 */
export function createWayToTokenizer(options: WayOptions): BulkTokenizer & { close(): Promise<void> } {
  let way: Way | undefined;
  let looking: Promise<Way> | undefined;
  const current = async (): Promise<Way> => {
    if (way !== undefined && options.now().getTime() - way.seenAtMs < FRESH_MS) return way;
    looking ??= renewedOrKept(options, way).finally(() => (looking = undefined));
    return (way = await looking);
  };
  return {
    async tokenize(records, idempotencyKey) {
      const { tokenizer } = await current();
      const results = await tokenizer.tokenizeBatch(records, { idempotencyKey });
      return results.map((each) => {
        if ('result' in each) return { token: each.result.token };
        const { code, remedy, isAboutInput } = each.error;
        return isAboutInput ? { refused: { code, remedy } } : { later: code };
      });
    },
    close: async () => await way?.dispatcher.close(),
  };
}

async function renewedOrKept(options: WayOptions, known: Way | undefined): Promise<Way> {
  try {
    return await renewedWay(options, known);
  } catch (error) {
    if (known === undefined) throw error;
    options.onKept?.(error);
    return { ...known, seenAtMs: options.now().getTime() };
  }
}

async function renewedWay(options: WayOptions, known: Way | undefined): Promise<Way> {
  const { source, now } = options;
  const [held, trust] = await Promise.all([source.certificate('client'), source.trust('servers')]);
  const version = `${held.version} ${trust.version}`;
  const seenAtMs = now().getTime();
  if (known?.version === version) return { ...known, seenAtMs };
  const dispatcher = new Agent({
    connect: {
      ...openCredentials(held.secret, held.passphrase),
      ca: trust.roots,
      servername: identityOf(options.mesh, 'tokenizer'),
      minVersion: 'TLSv1.3',
    },
  });
  // Calls that are under way end on the old one.
  void known?.dispatcher.close();
  const { deadlineMs } = options;
  const tokenizer = createTokenizerClient({ dispatcher, origin: originOf(options), deadlineMs });
  return { tokenizer, dispatcher, version, seenAtMs };
}

/** By the name of the tokenizer: an address is given in a local run alone, where no DNS has that name. */
export function originOf({ mesh, endpoint }: Pick<WayOptions, 'mesh' | 'endpoint'>): string {
  const port = memberOf(mesh, 'tokenizer')?.listener.port ?? 0;
  const { host, port: at } = endpoint ?? { host: identityOf(mesh, 'tokenizer'), port };
  return `https://${host}:${at}`;
}
