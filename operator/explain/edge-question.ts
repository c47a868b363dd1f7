import { TokenmeshError } from '../../errors/error.ts';
import type { EdgeMode, Mesh } from '../../mesh/definition.ts';
import { edgesOf, listenerMode, memberOf } from '../../mesh/edges.ts';
import { nodeNames } from '../../mesh/identity.ts';
import { OUTSIDE } from '../tap/seen-request.ts';

/** A caller and what it would call, whether or not the definition has an edge between them. */
export interface AskedEdge {
  readonly from: string;
  /** As callers name it. */
  readonly service: string;
  /** The node behind it; undefined for a service that is not of the mesh. */
  readonly to: string | undefined;
  readonly isDeclared: boolean;
  /** What the caller demands; of an edge that is not declared, what the listener asks for. */
  readonly mode: EdgeMode;
}

/**
 * @param words - `order tokenizer`, `order:tokenizer` or `order -> tokenizer`, as the command line parts it.
 * @throws {TokenmeshError} `ERR_EDGE_UNKNOWN`
 */
export function askedEdge(mesh: Mesh, words: readonly string[]): AskedEdge {
  const [from, service, ...more] = words
    .join(' ')
    .split(/(?:\s|:|->|→)+/)
    .filter((word) => word !== '');
  const services = [...Object.keys(mesh.virtualServices), ...Object.keys(mesh.externalServices)];
  const callers = [OUTSIDE, ...nodeNames(mesh)];
  const callees = [...new Set([...services, ...nodeNames(mesh)])];
  if (from === undefined || service === undefined || more.length > 0) {
    throw unknownEdge('expected a caller and what it calls, such as order:tokenizer');
  }
  if (!callers.includes(from)) throw unknownEdge(`expected the caller to be one of ${callers.join(', ')}`);
  if (!callees.includes(service))
    throw unknownEdge(`expected what is called to be one of ${callees.join(', ')}`);
  const declared = edgesOf(mesh).find((edge) => edge.from === from && edge.virtualService === service);
  const isExternal = service in mesh.externalServices;
  const to = isExternal ? undefined : (mesh.virtualServices[service]?.provider ?? service);
  const member = to === undefined ? undefined : memberOf(mesh, to);
  const isDoor = from === OUTSIDE && to !== undefined && to in mesh.virtualGateways;
  return {
    from,
    service,
    to,
    isDeclared: declared !== undefined || isDoor,
    mode: declared?.mode ?? (member === undefined ? 'one-way' : listenerMode(member.listener)),
  };
}

function unknownEdge(expected: string): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_EDGE_UNKNOWN',
    message: `that is no edge: ${expected}`,
    remedy: 'correct it; npm run mesh -- edges lists those of the definition',
  });
}
