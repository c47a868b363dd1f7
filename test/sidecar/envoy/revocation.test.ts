import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { TokenmeshError } from '../../../errors/error.ts';
import type { Hierarchy, RevocationPolicy } from '../../../mesh/definition.ts';
import { DENY_LIST_FILE } from '../../../mesh/envoy/deny-list.ts';
import { judgeCrl } from '../../../pki/crl.ts';
import type { ListingAuthorities, ListingAuthority } from '../../../pki/revocation.ts';
import type { AgentEvent } from '../../../sidecar/envoy/cert-agent/agent.ts';
import { RevocationWatch } from '../../../sidecar/envoy/cert-agent/revocation.ts';
import { createTestHierarchy, issueCrl, type TestHierarchy } from '../../support/issue-certificate.ts';

const DAY_MS = 86_400_000;
const CRL_SECONDS = 300;
const KEEP: RevocationPolicy = { afterNextUpdate: 'keep', alarmBeforeNextUpdateHours: 36 };

let hierarchies: Record<Hierarchy, TestHierarchy>;
beforeAll(async () => {
  hierarchies = {
    clients: await createTestHierarchy('clients'),
    servers: await createTestHierarchy('servers'),
  };
});

function listing({ root, subordinate }: TestHierarchy, name: string): ListingAuthority[] {
  return [
    { certificate: root.certificate, crl: { bucket: 'b', key: `${name}-root` } },
    { certificate: subordinate.certificate, crl: { bucket: 'b', key: `${name}-issuing` } },
  ];
}

/** Secrets, bucket, Envoy's file and time, all in hand. */
class World {
  now = Date.now();
  denied: string[] = [];
  version = 1;
  crlsPublishedAt: string | undefined;
  failure: Error | undefined;
  authorities: ListingAuthorities = {
    clients: listing(hierarchies.clients, 'clients'),
    servers: listing(hierarchies.servers, 'servers'),
  };
  objects = new Map<string, Uint8Array>();
  fetched: string[] = [];
  files = new Map<string, string>();
  swaps = 0;
  events: AgentEvent[] = [];
  policy = KEEP;
  readonly watch: RevocationWatch;

  constructor(policy = KEEP) {
    this.watch = new RevocationWatch({
      source: {
        denyList: async () => {
          if (this.failure !== undefined) throw this.failure;
          const denied = this.denied.map((serial) => ({
            serial,
            node: 'order',
            role: 'client' as const,
            revokedAt: '',
            expiresAt: '',
          }));
          const announced = this.crlsPublishedAt;
          return {
            version: `v${this.version}`,
            list: { denied, ...(announced === undefined ? {} : { crlsPublishedAt: announced }) },
          };
        },
        authorities: async () => this.authorities,
        crl: async ({ key }) => {
          this.fetched.push(key);
          const found = this.objects.get(key);
          if (found === undefined)
            throw new TokenmeshError({ code: 'ERR_CRL_UNAVAILABLE', message: 'gone', remedy: 'look' });
          return found;
        },
      },
      files: {
        swap: async (name, contents) => {
          this.files.set(name, contents);
          this.swaps += 1;
        },
      },
      judgeCrl,
      policy,
      crlSeconds: CRL_SECONDS,
      now: () => this.now,
      log: (event) => this.events.push(event),
    });
  }

  async publish(serials: readonly string[] = [], days = 7): Promise<void> {
    const thisUpdate = new Date(this.now - 1_000);
    const nextUpdate = new Date(this.now + days * DAY_MS);
    for (const [name, { root, subordinate }] of Object.entries(hierarchies)) {
      this.objects.set(`${name}-root`, await issueCrl(root, { thisUpdate, nextUpdate }));
      const revoked = name === 'clients' ? serials : [];
      this.objects.set(
        `${name}-issuing`,
        await issueCrl(subordinate, { thisUpdate, nextUpdate, serials: revoked }),
      );
    }
  }

  get file(): string {
    return this.files.get(DENY_LIST_FILE) ?? '';
  }

  choice(hierarchy: Hierarchy = 'clients', roots = hierarchies[hierarchy].root.certificate) {
    return this.watch.crls(hierarchy, roots);
  }

  codes(hierarchy: Hierarchy = 'clients'): string[] {
    return this.choice(hierarchy).problems.map(({ code }) => code);
  }
}

let world: World;
beforeEach(async () => {
  world = new World();
  await world.publish();
});

describe('the deny list of a sidecar', () => {
  it('is written with nothing on it, so that Envoy may start', async () => {
    expect(world.watch.isComplete).toBe(false);
    await world.watch.refresh();
    expect(world.watch.isComplete).toBe(true);
    expect(world.file).toContain('"rules_stat_prefix":"revoked."');
  });

  it('is not written before it could be read: an empty one would let everybody in', async () => {
    world.failure = new Error('no network');
    await world.watch.refresh();
    expect(world.watch.isComplete).toBe(false);
    expect(world.files.size).toBe(0);
    expect(world.watch.state.problems).toMatchObject([{ code: 'ERR_REVOCATION_UNAVAILABLE' }]);
  });

  it('follows the secret, and is left alone while nothing changes', async () => {
    await world.watch.refresh();
    const { swaps } = world;
    await world.watch.refresh();
    expect(world.swaps).toBe(swaps);
    world.denied = ['abc'];
    await world.watch.refresh();
    expect(world.file).toContain('"abc"');
    expect(world.file).toContain('"0abc"');
    expect(world.watch.state.deniedSerials).toEqual(['abc']);
  });

  it('goes on where the secret cannot be read any more, says so once, and says when it is over', async () => {
    world.denied = ['abc'];
    await world.watch.refresh();
    const before = world.file;
    world.failure = new Error('no network');
    for (let round = 0; round < 3; round += 1) await world.watch.refresh();
    expect(world.file).toBe(before);
    const told = world.events.filter(({ level }) => level === 'error');
    expect(told).toMatchObject([{ facts: { about: 'deny list' } }]);
    world.failure = undefined;
    await world.watch.refresh();
    expect(world.events.at(-1)).toMatchObject({ text: 'revocation is up to date again' });
  });

  it("has the serials of the callers' CRLs too", async () => {
    await world.publish(['0b']);
    await world.watch.refresh();
    expect(world.watch.state.deniedSerials).toEqual(['b']);
    expect(world.file).toContain('"0b"');
  });
});

describe('the CRLs of a sidecar', () => {
  it('are fetched at once, on the schedule, and when a CA says that it wrote one', async () => {
    await world.watch.refresh();
    expect(world.fetched.toSorted()).toEqual([
      'clients-issuing',
      'clients-root',
      'servers-issuing',
      'servers-root',
    ]);
    await world.watch.refresh();
    expect(world.fetched).toHaveLength(4);
    world.now += CRL_SECONDS * 1_000;
    await world.watch.refresh();
    expect(world.fetched).toHaveLength(8);
    world.crlsPublishedAt = new Date(world.now).toISOString();
    await world.watch.refresh();
    await world.watch.refresh();
    expect(world.fetched).toHaveLength(12);
  });

  it('are what handshakes are checked against, all of them', async () => {
    await world.publish(['0b']);
    await world.watch.refresh();
    const { verdict, pem, serials, problems } = world.choice();
    expect({ verdict, serials, problems }).toEqual({ verdict: 'check', serials: ['b'], problems: [] });
    expect(pem?.match(/BEGIN X509 CRL/g)).toHaveLength(2);
  });

  it('change their version when one of them does', async () => {
    await world.watch.refresh();
    const before = world.choice().version;
    expect(world.choice().version).toBe(before);
    world.now += CRL_SECONDS * 1_000;
    await world.publish(['0b']);
    await world.watch.refresh();
    expect(world.choice().version).not.toBe(before);
  });

  it.each<[what: string, make: () => Promise<Uint8Array | undefined>, code: string]>([
    ['cannot be had', async () => undefined, 'ERR_CRL_UNAVAILABLE'],
    ['is empty', async () => new Uint8Array(), 'ERR_CRL_EMPTY'],
    ['is garbage', async () => Buffer.from('garbage'), 'ERR_CRL_UNREADABLE'],
    ["is another CA's", async () => await issueCrl(hierarchies.servers.subordinate), 'ERR_CRL_NOT_OF_CA'],
    [
      'is older than the one held',
      async () =>
        await issueCrl(hierarchies.clients.subordinate, { thisUpdate: new Date(Date.now() - DAY_MS) }),
      'ERR_CRL_OLDER',
    ],
  ])('go on where a new one %s, and the problem is told', async (_what, make, code) => {
    await world.publish(['0b']);
    await world.watch.refresh();
    const before = world.choice();
    const bad = await make();
    if (bad === undefined) world.objects.delete('clients-issuing');
    else world.objects.set('clients-issuing', bad);
    world.now += CRL_SECONDS * 1_000;
    await world.watch.refresh();
    expect(world.choice()).toEqual(before);
    expect(world.watch.state.deniedSerials).toEqual(['b']);
    const problems = world.watch.state.crls.flatMap((each) => each.problems);
    expect(problems).toMatchObject([{ code }]);
    expect(world.events.at(-1)).toMatchObject({
      level: 'error',
      facts: { about: 'clients-issuing', problems: [{ code }] },
    });
  });

  it('are fetched again soon where one is not good', async () => {
    world.objects.delete('clients-issuing');
    await world.watch.refresh();
    const { length } = world.fetched;
    world.now += 5_000;
    await world.watch.refresh();
    expect(world.fetched.length).toBeGreaterThan(length);
  });

  it('are for a person to look at well before they end', async () => {
    await world.publish([], 2);
    await world.watch.refresh();
    expect(world.codes()).toEqual([]);
    world.now += DAY_MS;
    expect(world.choice().verdict).toBe('check');
    expect(world.codes()).toEqual(['ERR_CRL_LATE', 'ERR_CRL_LATE']);
  });

  it('are lifted past their nextUpdate under `keep`: callers stay out by serial', async () => {
    await world.publish(['0b']);
    await world.watch.refresh();
    world.now += 8 * DAY_MS;
    await world.watch.refresh();
    expect(world.choice()).toMatchObject({ verdict: 'lift', serials: [] });
    expect(world.choice().pem).toBeUndefined();
    expect(world.codes()).toContain('ERR_CRL_STALE');
    expect(world.watch.state.deniedSerials).toEqual(['b']);
    await world.publish(['0b', '0c']);
    world.now += 5_000;
    await world.watch.refresh();
    expect(world.choice()).toMatchObject({ verdict: 'check', problems: [] });
  });

  it('stay with Envoy past their nextUpdate under `refuse`', async () => {
    world = new World({ ...KEEP, afterNextUpdate: 'refuse' });
    await world.publish();
    await world.watch.refresh();
    world.now += 8 * DAY_MS;
    await world.watch.refresh();
    expect(world.choice()).toMatchObject({ verdict: 'check' });
    expect(world.codes()).toContain('ERR_CRL_STALE');
  });

  it('have their serials refused where they are stale from the first', async () => {
    await world.publish(['0b']);
    world.now += 8 * DAY_MS;
    await world.watch.refresh();
    expect(world.choice()).toMatchObject({ verdict: 'lift' });
    expect(world.watch.state.deniedSerials).toEqual(['b']);
  });
});

describe('a root that is trusted', () => {
  it('waits for the list of a CA that is listed', async () => {
    world.objects.delete('clients-issuing');
    await world.watch.refresh();
    expect(world.choice()).toMatchObject({ verdict: 'wait', mayStart: true });
    expect(world.codes()).toEqual(['ERR_CRL_MISSING']);
    expect(world.choice('servers').verdict).toBe('check');
  });

  it('waits where it is not listed itself, as the second root of a rollover that came too early', async () => {
    const next = await createTestHierarchy('clients next');
    await world.watch.refresh();
    const both = hierarchies.clients.root.certificate + next.root.certificate;
    expect(world.choice('clients', both)).toMatchObject({ verdict: 'wait' });
    world.authorities = {
      ...world.authorities,
      clients: [...world.authorities.clients, ...listing(next, 'next')],
    };
    world.objects.set('next-root', await issueCrl(next.root));
    world.objects.set('next-issuing', await issueCrl(next.subordinate));
    world.now += CRL_SECONDS * 1_000;
    await world.watch.refresh();
    const chosen = world.choice('clients', both);
    expect(chosen).toMatchObject({ verdict: 'check', problems: [] });
    expect(chosen.pem?.match(/BEGIN X509 CRL/g)).toHaveLength(4);
    expect(world.choice('clients').pem?.match(/BEGIN X509 CRL/g)).toHaveLength(2);
  });

  it('lets no node start without lists under `refuse`', async () => {
    world = new World({ ...KEEP, afterNextUpdate: 'refuse' });
    await world.watch.refresh();
    expect(world.choice()).toMatchObject({ verdict: 'wait', mayStart: false });
  });
});
