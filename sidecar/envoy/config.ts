import { readFileSync } from 'node:fs';
import { TokenmeshError } from '../../errors/error.ts';
import type { RenderedSource } from '../../mesh/certificate-source.ts';
import type { Placement } from '../../mesh/envoy/types.ts';
import { agentSocketIn } from './agent-socket.ts';

export interface SidecarConfig {
  readonly nodeName: string;
  readonly placement: Placement;
  /** Where the sidecar keeps its bootstrap and stages secrets: memory-backed where the platform has that. */
  readonly runDirectory: string;
  readonly agentSocket: string;
  readonly envoyBinary: string;
  readonly envoyConcurrency: number;
  readonly pollSeconds: number;
  /** How often the deny list is looked at: a revoked peer is refused this long after the command, at the latest. */
  readonly revocationPollSeconds: number;
  /** How often the CRLs are fetched where nothing says that there are new ones. */
  readonly crlSeconds: number;
  /** Where the certificates come from: rendered from the definition of the mesh. */
  readonly certificateSource: RenderedSource;
  /** How often metrics are written for CloudWatch; undefined for not at all. */
  readonly emfSeconds: number | undefined;
  /** How long requests under way may go on after the sidecar was told to stop. */
  readonly drainSeconds: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

const REQUIRED = ['TOKENMESH_NODE', 'TOKENMESH_PLACEMENT', 'TOKENMESH_RUN_DIRECTORY'] as const;

/** @throws {TokenmeshError} `ERR_CONFIG_INVALID` with every problem at once. */
export function readConfig(environment: Environment): SidecarConfig {
  const problems: string[] = REQUIRED.filter((name) => !environment[name]).map(
    (name) => `${name} is not set`,
  );
  const pollSeconds = positive(environment, 'TOKENMESH_POLL_SECONDS', 30, problems);
  const revocationPollSeconds = positive(environment, 'TOKENMESH_REVOCATION_POLL_SECONDS', 5, problems);
  const crlSeconds = positive(environment, 'TOKENMESH_CRL_SECONDS', 300, problems);
  const drainSeconds = positive(environment, 'TOKENMESH_DRAIN_SECONDS', 3, problems);
  const envoyConcurrency = positive(environment, 'TOKENMESH_ENVOY_CONCURRENCY', 1, problems);
  const emfSeconds =
    environment['TOKENMESH_EMF_SECONDS'] === undefined
      ? undefined
      : positive(environment, 'TOKENMESH_EMF_SECONDS', 60, problems);
  const certificateSource = readSource(environment['TOKENMESH_CERTIFICATE_SOURCE'], problems);
  const placement =
    problems.length === 0 ? readPlacement(environment['TOKENMESH_PLACEMENT'] ?? '', problems) : undefined;
  if (placement === undefined) {
    throw new TokenmeshError({
      code: 'ERR_CONFIG_INVALID',
      message: `the sidecar's environment is not usable: ${problems.join(', ')}`,
      remedy: 'set the named variables: sidecar/envoy/config.ts lists them',
    });
  }
  const runDirectory = environment['TOKENMESH_RUN_DIRECTORY'] ?? '';
  return {
    nodeName: environment['TOKENMESH_NODE'] ?? '',
    placement,
    runDirectory,
    agentSocket: agentSocketIn(environment),
    envoyBinary: environment['ENVOY_BIN'] ?? 'envoy',
    envoyConcurrency,
    pollSeconds,
    revocationPollSeconds,
    crlSeconds,
    certificateSource,
    emfSeconds,
    drainSeconds,
  };
}

function positive(environment: Environment, name: string, fallback: number, problems: string[]): number {
  const text = environment[name];
  const value = text === undefined ? fallback : Number(text);
  if (!(value > 0)) problems.push(`${name} is not a number above 0`);
  return value;
}

const ACM_EXPORT: RenderedSource = { kind: 'acm-export' };

function readSource(text: string | undefined, problems: string[]): RenderedSource {
  if (text === undefined || text === '') return ACM_EXPORT;
  try {
    const source = JSON.parse(text) as RenderedSource;
    if (source.kind === 'acm-export') return source;
    const { client, server } = source.authorities;
    if (source.kind === 'short-lived' && client && server && source.lifeSeconds > 0 && source.fleetTasks > 0)
      return source;
  } catch {
    // Told below, as everything else that is not a source.
  }
  problems.push('TOKENMESH_CERTIFICATE_SOURCE is not a source as mesh/certificate-source.ts renders it');
  return ACM_EXPORT;
}

/** A task has no file to name: there the variable holds the JSON itself. */
function readPlacement(given: string, problems: string[]): Placement | undefined {
  try {
    return JSON.parse(given.startsWith('{') ? given : readFileSync(given, 'utf8')) as Placement;
  } catch {
    problems.push('TOKENMESH_PLACEMENT is neither JSON nor the name of a readable JSON file');
    return undefined;
  }
}
