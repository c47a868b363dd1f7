import type { GatewayOperation, Mesh, RequestRate, VirtualGateway } from './definition.ts';
import type { MeshProblem } from './mesh-problem.ts';

/** RFC 6749 section 3.3, without what would need care in a regular expression; `/` parts server and scope. */
const SCOPE_TOKEN = /^[A-Za-z0-9._:-]+$/;

/** What is wrong with what gateways ask of their callers. */
export function gatewayProblems(mesh: Mesh): MeshProblem[] {
  return Object.entries(mesh.virtualGateways).flatMap(([name, gateway]) => {
    const path = `virtualGateways.${name}`;
    return [
      ...authenticationProblems(path, gateway),
      ...gateway.listener.operations.flatMap((operation, index) =>
        scopeProblems(`${path}.listener.operations[${index}].scope`, operation, gateway),
      ),
      ...rateProblems(`${path}.rates`, gateway),
      ...originProblems(`${path}.crossOrigin`, gateway),
    ];
  });
}

function authenticationProblems(path: string, { authentication }: VirtualGateway): MeshProblem[] {
  if (authentication === undefined) return [];
  const server = {
    path: `${path}.authentication.resourceServer`,
    message: `expected letters, digits and ._:-, got ${JSON.stringify(authentication.resourceServer)}`,
    remedy: 'name the resource server of the user pool',
  };
  const keys = {
    path: `${path}.authentication.keySeconds`,
    message: `expected 1 second or more, got ${authentication.keySeconds}`,
    remedy: 'say how long keys are held before they are fetched again, such as 60',
  };
  return [
    ...(SCOPE_TOKEN.test(authentication.resourceServer) ? [] : [server]),
    ...(authentication.keySeconds >= 1 ? [] : [keys]),
  ];
}

function scopeProblems(
  path: string,
  { name, scope }: GatewayOperation,
  { authentication }: VirtualGateway,
): MeshProblem[] {
  if (authentication === undefined) {
    if (scope === undefined) return [];
    return [
      {
        path,
        message: `expected none for "${name}": the gateway authenticates nobody`,
        remedy: 'add authentication to the gateway, or drop the scope',
      },
    ];
  }
  if (scope !== undefined && SCOPE_TOKEN.test(scope)) return [];
  return [
    {
      path,
      message: `expected letters, digits and ._:- for "${name}", got ${JSON.stringify(scope)}`,
      remedy: 'name the scope that a caller must have: without one nobody could call',
    },
  ];
}

function rateProblems(path: string, { rates, authentication }: VirtualGateway): MeshProblem[] {
  if (rates === undefined) return [];
  const unknown = {
    path: `${path}.caller`,
    message: 'expected none: the gateway authenticates nobody, so no caller is known from another',
    remedy: 'add authentication to the gateway, or drop the rate',
  };
  return [
    ...Object.entries(rates)
      .filter(([, rate]) => !isRequestRate(rate))
      .map(([which]) => ({
        path: `${path}.${which}`,
        message: 'expected whole numbers from 1 up for perSecond and burst',
        remedy: 'correct the rate, or leave it out for none',
      })),
    ...(rates.caller !== undefined && authentication === undefined ? [unknown] : []),
  ];
}

function isRequestRate({ perSecond, burst }: RequestRate): boolean {
  return [perSecond, burst].every((value) => Number.isSafeInteger(value) && value >= 1);
}

function originProblems(path: string, { crossOrigin }: VirtualGateway): MeshProblem[] {
  if (crossOrigin === undefined) return [];
  const wrong = crossOrigin.origins.filter((origin) => !isOrigin(origin));
  const age = {
    path: `${path}.maxAgeSeconds`,
    message: `expected a whole number from 0 up, got ${crossOrigin.maxAgeSeconds}`,
    remedy: 'say how long a browser may hold the answer, such as 600',
  };
  return [
    ...wrong.map((origin) => ({
      path: `${path}.origins`,
      message: `expected an origin such as https://shop.example, got ${JSON.stringify(origin)}`,
      remedy: 'write scheme and host in full, with no path and no pattern',
    })),
    ...(Number.isSafeInteger(crossOrigin.maxAgeSeconds) && crossOrigin.maxAgeSeconds >= 0 ? [] : [age]),
  ];
}

/** RFC 6454 section 6.2. In the clear only from this machine: for work on a page. */
function isOrigin(text: string): boolean {
  if (!URL.canParse(text) || text.includes('*')) return false;
  const { origin, protocol, hostname } = new URL(text);
  return origin === text && (protocol === 'https:' || (protocol === 'http:' && hostname === 'localhost'));
}
