/**
 * The programs of a node and what their environment says: the sidecar, which is Envoy's parent, and the
 * app beside it. Whoever starts a node starts these: the run on one machine, and the tasks on AWS.
 *
 * @module
 */

import type { RenderedSource } from '../mesh/certificate-source.ts';
import { DATABASE_USERS } from '../sample-apps/order-history/users.ts';
import { TABLES } from './tables.ts';
import { regionCodeOf } from './tokenizer/core/formats/region-codes.ts';
import { NODE_FLAGS, PROCESS_ENVIRONMENT } from './tokenizer/process-options.ts';

export interface Program {
  /** Relative to the root of the project. */
  readonly script: string;
  /** Of node, before the script. */
  readonly flags: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

export interface SidecarSettings {
  readonly nodeName: string;
  /** A file, or the JSON itself: `sidecar/envoy/config.ts`. */
  readonly placement: string;
  readonly runDirectory: string;
  readonly agentSocket: string;
  readonly source: RenderedSource;
  /** What differs from the sidecar's own defaults. */
  readonly pace?: {
    readonly pollSeconds: number;
    readonly revocationPollSeconds: number;
    readonly crlSeconds: number;
  };
  /** How often metrics are written to the log, for CloudWatch. @default never */
  readonly emfSeconds?: number;
  /** @default the image's, or `envoy` as PATH finds it */
  readonly envoyBinary?: string;
}

export function sidecarProgram(settings: SidecarSettings): Program {
  const { pace, envoyBinary, emfSeconds } = settings;
  return {
    script: 'sidecar/envoy/main.ts',
    flags: [],
    environment: {
      TOKENMESH_NODE: settings.nodeName,
      TOKENMESH_PLACEMENT: settings.placement,
      TOKENMESH_RUN_DIRECTORY: settings.runDirectory,
      TOKENMESH_AGENT_SOCKET: settings.agentSocket,
      ...(pace === undefined
        ? {}
        : {
            TOKENMESH_POLL_SECONDS: String(pace.pollSeconds),
            TOKENMESH_REVOCATION_POLL_SECONDS: String(pace.revocationPollSeconds),
            TOKENMESH_CRL_SECONDS: String(pace.crlSeconds),
          }),
      TOKENMESH_CERTIFICATE_SOURCE: JSON.stringify(settings.source),
      ...(emfSeconds === undefined ? {} : { TOKENMESH_EMF_SECONDS: String(emfSeconds) }),
      ...(envoyBinary === undefined ? {} : { ENVOY_BIN: envoyBinary }),
    },
  };
}

export interface AppSettings {
  readonly nodeName: string;
  readonly appSocket: string;
  readonly egressSocket: string;
  readonly vaultKeyArn: string;
  readonly auditKeyArn: string;
  /** Of the keys that values are encrypted under at the edge; none where nothing is. */
  readonly markKeyArns?: readonly string[];
  /** Of order and paybill, which sign in by IAM, each as a user of its own. @default the table */
  readonly orderDatabase?: OrderDatabase | undefined;
  /** Regions that write to the same tables, as AWS names them. @default none */
  readonly otherRegions?: readonly string[];
  /** @default the tokenizer's own */
  readonly heartbeatSeconds?: number;
  /** The bus that is told what becomes of tokens. @default nobody is told */
  readonly eventBusName?: string | undefined;
}

export interface OrderDatabase {
  readonly host: string;
  readonly port: number;
  readonly name: string;
}

function orderStoreOf({ nodeName, orderDatabase }: AppSettings): Record<string, string> {
  const user = Object.entries(DATABASE_USERS).find(([app]) => app === nodeName)?.[1];
  if (orderDatabase === undefined || user === undefined) return { ORDERS_TABLE: TABLES.orders };
  return {
    ORDER_STORE: 'mysql',
    ORDER_DB_HOST: orderDatabase.host,
    ORDER_DB_PORT: String(orderDatabase.port),
    ORDER_DB_NAME: orderDatabase.name,
    ORDER_DB_USER: user,
  };
}

/** Each app takes of the environment what it knows. */
export function appProgram(settings: AppSettings): Program {
  const isTokenizer = settings.nodeName === 'tokenizer';
  const { markKeyArns = [], otherRegions = [], heartbeatSeconds, eventBusName } = settings;
  return {
    script: isTokenizer ? 'sidecar/tokenizer/main.ts' : `sample-apps/${settings.nodeName}/main.ts`,
    flags: isTokenizer ? NODE_FLAGS : [],
    environment: {
      TOKENMESH_APP_SOCKET: settings.appSocket,
      TOKENMESH_EGRESS_SOCKET: settings.egressSocket,
      TOKENMESH_TOKENS_TABLE: TABLES.tokens,
      TOKENMESH_KEYS_TABLE: TABLES.keys,
      TOKENMESH_KMS_KEY_ARN: settings.vaultKeyArn,
      TOKENMESH_AUDIT_TABLE: TABLES.audit,
      TOKENMESH_FINGERPRINTS_TABLE: TABLES.fingerprints,
      TOKENMESH_AUDIT_KEY_ID: settings.auditKeyArn,
      ...(markKeyArns.length === 0 ? {} : { TOKENMESH_MARK_KEY_ARNS: markKeyArns.join(',') }),
      ...(eventBusName === undefined ? {} : { TOKENMESH_EVENT_BUS: eventBusName }),
      ...(isTokenizer && otherRegions.length > 0
        ? { TOKENMESH_OTHER_REGIONS: otherRegions.map(regionCodeOf).join(',') }
        : {}),
      ...(heartbeatSeconds === undefined ? {} : { TOKENMESH_HEARTBEAT_SECONDS: String(heartbeatSeconds) }),
      ...orderStoreOf(settings),
      ...(isTokenizer ? PROCESS_ENVIRONMENT : {}),
    },
  };
}
