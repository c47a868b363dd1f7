import type { Mesh } from '../../mesh/definition.ts';
import type { Placement } from '../../mesh/envoy/types.ts';
import { tokenizationMesh } from '../../mesh/tokenization-mesh.ts';

/** In place of a text that may be any. */
const WORDS = [
  ...['', 'order', 'tokenizer', 'nobody', '*', '/v1/{token}', '/', '//', '/a b', 'a\nb', 'constructor'],
  ...['x'.repeat(300), 'é', '"; drop', '__proto__'],
];

/** In place of a text that is one of few, by the name of its member. */
const CHOICES: Readonly<Record<string, readonly string[]>> = {
  callers: ['mesh', 'anyone'],
  method: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
  mode: ['STRICT', 'PERMISSIVE', 'DISABLED'],
  protocol: ['http', 'http2'],
  tls: ['none', 'one-way', 'mtls'],
  trust: ['clients', 'servers'],
  afterNextUpdate: ['keep', 'refuse'],
  classes: ['*'],
};

const NUMBERS = [
  0,
  1,
  -1,
  0.5,
  443,
  8443,
  65_535,
  65_536,
  1e9,
  Number.MAX_SAFE_INTEGER,
  Number.NaN,
  Number.POSITIVE_INFINITY,
];

/** The shipped mesh after some changes, each told by three bytes: what its types permit, and nothing else. */
export function changedMesh(bytes: Buffer): Mesh {
  const mesh = structuredClone(tokenizationMesh) as unknown as Record<string, unknown>;
  for (let first = 0; first + 2 < bytes.length && first < 30; first += 3) {
    const [place = 0, more = 0, choice = 0] = bytes.subarray(first, first + 3);
    const slots = slotsIn(mesh);
    const slot = slots[(place * 256 + more) % slots.length];
    if (slot !== undefined) change(slot, choice);
  }
  return mesh as unknown as Mesh;
}

interface Slot {
  readonly holder: Record<string, unknown>;
  readonly key: string;
}

/** Every place that holds a text, a number or a list, and every entry that has a name of its own. */
function slotsIn(holder: object): Slot[] {
  return Object.entries(holder).flatMap(([key, value]: [string, unknown]) => {
    const slot = { holder: holder as Record<string, unknown>, key };
    return typeof value === 'object' && value !== null ? [slot, ...slotsIn(value)] : [slot];
  });
}

function change({ holder, key }: Slot, choice: number): void {
  const value = holder[key];
  const words = CHOICES[key] ?? WORDS;
  if (typeof value === 'string') holder[key] = words[choice % words.length];
  else if (typeof value === 'number') holder[key] = NUMBERS[choice % NUMBERS.length];
  else if (Array.isArray(value)) changeList(value, choice);
  else if (typeof value === 'object' && RECORDS.has(key)) rename(value as Record<string, unknown>, choice);
}

function changeList(list: unknown[], choice: number): void {
  if (choice % 3 === 0) list.pop();
  else if (choice % 3 === 1 && list.length > 0) list.push(structuredClone(list[choice % list.length]));
  else list.length = 0;
}

/** Members whose keys are names, not words of the definition. */
const RECORDS: ReadonlySet<string> = new Set([
  'virtualNodes',
  'virtualGateways',
  'virtualServices',
  'externalServices',
  'functions',
]);

function rename(record: Record<string, unknown>, choice: number): void {
  const names = Object.keys(record);
  const from = names[choice % names.length];
  const to = WORDS[choice % WORDS.length] ?? '';
  if (from === undefined || to === '__proto__') return;
  record[to] = record[from];
  if (to !== from) delete record[from];
}

/** Where the parts of any node could be. */
export function placementFor(mesh: Mesh): Placement {
  const here = { host: '127.0.0.1', port: 9 };
  const services = [...Object.keys(mesh.virtualServices), ...Object.keys(mesh.externalServices)];
  return {
    listener: here,
    admin: here,
    appSocket: '/run/app.sock',
    egressSocket: '/run/egress.sock',
    secretsDirectory: '/run/secrets',
    sdsSocket: '/run/sds.sock',
    endpoints: Object.fromEntries(services.map((name) => [name, here])),
    externalTrust: Object.fromEntries(services.map((name) => [name, '/run/trust.pem'])),
    tokenIssuer: {
      issuer: 'https://nobody.example',
      keys: { ...here, path: '/', tls: false },
      clientIds: ['nobody'],
    },
  };
}
