import { beforeEach, describe, expect, it } from '@jest/globals';
import { TokenmeshError } from '../../../errors/error.ts';
import type { CertificateRole, Hierarchy } from '../../../mesh/definition.ts';
import { CertAgent, type AgentEvent } from '../../../sidecar/envoy/cert-agent/agent.ts';
import type { SdsSecret, SdsSecretName } from '../../../mesh/envoy/sds.ts';
import type { DeliveredCertificate, PutOutcome } from '../../../sidecar/envoy/cert-agent/ports.ts';
import type { CrlChoice } from '../../../sidecar/envoy/cert-agent/choose-crls.ts';
import type { PkiProblem } from '../../../pki/problem.ts';
import { Sensitive } from '../../../pki/sensitive.ts';

const PASSPHRASE = 'correct horse battery staple';

const BAD: PkiProblem = { code: 'ERR_CERTIFICATE_EXPIRED', message: 'it has expired', remedy: 'renew it' };

/** Secrets, Envoy and time, all in hand. */
class World {
  now = 0;
  serials: Record<CertificateRole, string> = { client: 'c1', server: 's1' };
  trustVersion = 1;
  failure: Error | undefined;
  publishedAt: Date | undefined;
  problems: PkiProblem[] = [];
  trustProblems: PkiProblem[] = [];
  crls: CrlChoice = {
    verdict: 'check',
    mayStart: true,
    pem: 'CRL 1',
    serials: [],
    version: '1',
    problems: [],
  };
  /** What Envoy uses: a swap reaches it unless it misses it. */
  served: Partial<Record<CertificateRole, string>> = {};
  swapsMissed = 0;
  /** Why Envoy takes nothing; undefined while it does. */
  refusal: string | undefined;
  /** What Envoy refused after it had been handed over. */
  refusedLater: Partial<Record<SdsSecretName, string>> = {};
  swaps: string[] = [];
  contents = new Map<string, string>();
  events: AgentEvent[] = [];

  readonly agent = new CertAgent({
    source: {
      certificate: async (role) => this.#deliver(role),
      trust: async (hierarchy: Hierarchy) => ({
        version: `t${this.trustVersion}`,
        secretName: `tokenmesh/trust/${hierarchy}`,
        roots: `roots of ${hierarchy}, version ${this.trustVersion}`,
      }),
    },
    sink: {
      put: async (secret) => this.#take(secret),
      refusal: (name) => (name in this.refusedLater ? this.refusedLater[name] : undefined),
      answers: [],
    },
    prover: { servedSerial: async (role) => this.served[role] },
    judge: () => this.problems,
    judgeTrust: () => this.trustProblems,
    crls: () => this.crls,
    now: () => this.now,
    sleep: async (ms) => void (this.now += ms),
    log: (event) => this.events.push(event),
  });

  #take(secret: SdsSecret): PutOutcome {
    this.swaps.push(secret.name);
    if (this.refusal !== undefined) return { outcome: 'refused', reason: this.refusal };
    this.contents.set(secret.name, JSON.stringify(secret));
    const role = secret.name as CertificateRole;
    if (!(role in this.serials)) return { outcome: 'taken' };
    if (this.swapsMissed > 0) this.swapsMissed -= 1;
    else this.served[role] = this.serials[role];
    return { outcome: 'taken' };
  }

  #deliver(role: CertificateRole): DeliveredCertificate {
    if (this.failure !== undefined) throw this.failure;
    return {
      version: `version of ${this.serials[role]}`,
      secretName: `tokenmesh/order/${role}/certificate`,
      ...(this.publishedAt === undefined ? {} : { publishedAt: this.publishedAt }),
      secret: {
        serial: this.serials[role],
        certificateArn: 'arn',
        certificate: `leaf ${this.serials[role]}`,
        chain: 'intermediate',
        encryptedPrivateKey: 'encrypted',
        passphraseVersionId: 'v',
      },
      passphrase: new Sensitive(PASSPHRASE),
    };
  }

  stateOf(role: CertificateRole) {
    return this.agent.states.find((state) => state.role === role);
  }
}

let world = new World();
beforeEach(() => {
  world = new World();
});

describe('the cert agent', () => {
  it('hands trust to Envoy first, then a certificate for each role', async () => {
    await world.agent.refresh();
    expect(world.swaps).toEqual(['trust-clients', 'trust-servers', 'client', 'server']);
    expect(world.agent.isComplete).toBe(true);
  });

  it('writes leaf and intermediates, the encrypted key and its passphrase into one secret', async () => {
    await world.agent.refresh();
    expect(JSON.parse(world.contents.get('server') ?? '{}')).toEqual({
      name: 'server',
      tls_certificate: {
        certificate_chain: { inline_string: 'leaf s1\nintermediate\n' },
        private_key: { inline_string: 'encrypted' },
        password: { inline_string: PASSPHRASE },
      },
    });
  });

  it('proves a new serial by a handshake, and says so', async () => {
    await world.agent.refresh();
    world.serials.server = 's2';
    await world.agent.refresh();
    expect(world.stateOf('server')).toMatchObject({
      serial: 's2',
      servedSerial: 's2',
      swaps: 2,
      problems: [],
    });
    expect(world.events.at(-1)).toMatchObject({
      level: 'info',
      text: 'certificate is served',
      facts: { serial: 's2' },
    });
  });

  it('swaps again when Envoy missed the swap', async () => {
    await world.agent.refresh();
    world.serials.server = 's2';
    world.swapsMissed = 1;
    await world.agent.refresh();
    expect(world.stateOf('server')).toMatchObject({ servedSerial: 's2', swaps: 3, problems: [] });
  });

  it('reports a serial that is not served, and goes on trying', async () => {
    await world.agent.refresh();
    await world.agent.refresh();
    world.serials.server = 's2';
    world.swapsMissed = 3;
    await world.agent.refresh();
    expect(world.stateOf('server')).toMatchObject({ serial: 's2', servedSerial: 's1' });
    expect(world.stateOf('server')?.problems[0]?.code).toBe('ERR_CERTIFICATE_NOT_SERVED');
    await world.agent.refresh();
    expect(world.stateOf('server')).toMatchObject({ servedSerial: 's2', problems: [] });
  });

  it('leaves Envoy alone while nothing has changed', async () => {
    await world.agent.refresh();
    await world.agent.refresh();
    const swaps = world.swaps.length;
    await world.agent.refresh();
    expect(world.swaps.length).toBe(swaps);
  });

  it('refuses a certificate that does not hold up: Envoy keeps the old one, and the problem is told', async () => {
    await world.agent.refresh();
    await world.agent.refresh();
    world.serials.server = 's2';
    world.problems = [BAD];
    await world.agent.refresh();
    expect(world.served.server).toBe('s1');
    expect(world.stateOf('server')).toMatchObject({ servedSerial: 's1', problems: [BAD] });
    world.problems = [];
    await world.agent.refresh();
    expect(world.stateOf('server')).toMatchObject({ servedSerial: 's2', problems: [] });
  });

  it('refuses a trust bundle that does not hold up', async () => {
    await world.agent.refresh();
    world.trustVersion = 2;
    world.trustProblems = [BAD];
    await world.agent.refresh();
    expect(world.contents.get('trust-clients')).toContain('version 1');
    world.trustProblems = [];
    await world.agent.refresh();
    expect(world.contents.get('trust-clients')).toContain('version 2');
  });

  it('waits for trust before it judges a certificate, and says which bundle is missing', async () => {
    world.trustProblems = [BAD];
    await world.agent.refresh();
    expect(world.agent.isComplete).toBe(false);
    expect(world.swaps).toEqual([]);
    expect(world.agent.trustStates).toMatchObject([
      { hierarchy: 'clients', version: undefined, problems: [BAD] },
      { hierarchy: 'servers', version: undefined, problems: [BAD] },
    ]);
    expect(world.stateOf('server')?.problems).toEqual([
      expect.objectContaining({ code: 'ERR_TRUST_MISSING' }),
    ]);
    world.trustProblems = [];
    await world.agent.refresh();
    expect(world.agent.isComplete).toBe(true);
    expect(world.agent.trustStates.map((state) => state.problems)).toEqual([[], []]);
  });

  it('refuses a trust bundle under which its own certificate fails', async () => {
    await world.agent.refresh();
    world.trustVersion = 2;
    world.problems = [BAD];
    await world.agent.refresh();
    expect(world.contents.get('trust-clients')).toContain('version 1');
    expect(world.agent.trustStates[0]?.problems[0]?.code).toBe('ERR_TRUST_BREAKS_OWN');
  });

  it('reports what Envoy refuses with its reason, keeps the old one, and offers the next version', async () => {
    await world.agent.refresh();
    await world.agent.refresh();
    world.serials.server = 's2';
    world.refusal = 'Failed to load certificate chain from <inline>';
    await world.agent.refresh();
    expect(world.stateOf('server')).toMatchObject({ serial: 's1', servedSerial: 's1' });
    expect(world.stateOf('server')?.problems).toEqual([
      expect.objectContaining({
        code: 'ERR_SECRET_REFUSED',
        message: expect.stringContaining(world.refusal),
      }),
    ]);
    world.refusal = undefined;
    world.serials.server = 's3';
    await world.agent.refresh();
    expect(world.stateOf('server')).toMatchObject({ serial: 's3', servedSerial: 's3', problems: [] });
  });

  it('reports a trust bundle that Envoy refused once it was handed over', async () => {
    await world.agent.refresh();
    world.refusedLater['trust-servers'] = 'Failed to load trusted CA certificates from <inline>';
    await world.agent.refresh();
    expect(world.agent.trustStates.map(({ problems }) => problems.map(({ code }) => code))).toEqual([
      [],
      ['ERR_SECRET_REFUSED'],
    ]);
  });

  it('tells how long a rotation took, from its publication to its proof', async () => {
    await world.agent.refresh();
    await world.agent.refresh();
    world.serials.server = 's2';
    world.publishedAt = new Date(world.now);
    world.now += 1_500;
    await world.agent.refresh();
    expect(world.stateOf('server')).toMatchObject({ rotationLagMs: 1_500 });
  });

  it('tells of a problem that goes on once', async () => {
    await world.agent.refresh();
    world.failure = new Error('connect ECONNREFUSED');
    for (let round = 0; round < 5; round += 1) await world.agent.refresh();
    expect(world.events.filter((event) => event.level === 'error')).toHaveLength(2);
  });

  it('is not complete, and says which secret lacks what, when a secret cannot be used at first start', async () => {
    world.failure = new TokenmeshError({
      code: 'ERR_SECRET_UNUSABLE',
      message: 'secret "tokenmesh/order/client/certificate" is not usable: missing chain',
      remedy: 'export it again',
    });
    await world.agent.refresh();
    expect(world.agent.isComplete).toBe(false);
    expect(world.stateOf('client')?.problems).toEqual([
      { code: 'ERR_SECRET_UNUSABLE', message: world.failure.message, remedy: 'export it again' },
    ]);
  });

  it('goes on with what it has when Secrets Manager is down', async () => {
    await world.agent.refresh();
    await world.agent.refresh();
    world.failure = new Error('connect ECONNREFUSED');
    await world.agent.refresh();
    expect(world.served.server).toBe('s1');
    expect(world.stateOf('server')?.problems[0]?.code).toBe('ERR_SECRET_UNAVAILABLE');
  });

  it('has no problem any more once Secrets Manager answers again', async () => {
    await world.agent.refresh();
    await world.agent.refresh();
    world.failure = new Error('connect ECONNREFUSED');
    await world.agent.refresh();
    world.failure = undefined;
    await world.agent.refresh();
    expect(world.agent.states.map(({ problems }) => problems)).toEqual([[], []]);
    expect(world.events.filter(({ text }) => text === 'certificate is in order again')).toHaveLength(2);
  });

  it('has no problem any more once the version that is served is put back', async () => {
    await world.agent.refresh();
    await world.agent.refresh();
    world.serials.server = 's2';
    world.problems = [BAD];
    await world.agent.refresh();
    expect(world.stateOf('server')).toMatchObject({ problems: [BAD], rotatingSince: expect.any(String) });
    world.serials.server = 's1';
    await world.agent.refresh();
    expect(world.stateOf('server')).toMatchObject({ serial: 's1', problems: [] });
    expect(world.stateOf('server')?.rotatingSince).toBeUndefined();
  });

  it('counts the lag of a rotation from the first version that did not get into use', async () => {
    await world.agent.refresh();
    await world.agent.refresh();
    world.serials.server = 's2';
    world.problems = [BAD];
    await world.agent.refresh();
    world.now += 5_000;
    world.serials.server = 's3';
    world.problems = [];
    await world.agent.refresh();
    expect(world.stateOf('server')).toMatchObject({ servedSerial: 's3', rotationLagMs: 5_000 });
  });

  it('never logs the passphrase or the key', async () => {
    world.swapsMissed = 1;
    await world.agent.refresh();
    world.serials = { client: 'c2', server: 's2' };
    await world.agent.refresh();
    const logged = JSON.stringify(world.events);
    expect(logged).toContain('s2');
    expect(logged).not.toContain(PASSPHRASE);
    expect(logged).not.toContain('"encrypted"');
  });
});

const MISSING: PkiProblem = { code: 'ERR_CRL_MISSING', message: 'there is none', remedy: 'write one' };
const STALE: PkiProblem = { code: 'ERR_CRL_STALE', message: 'it is stale', remedy: 'see the CA' };

describe('the CRLs beside a trust bundle', () => {
  const crlInSecret = (): unknown => {
    const { validation_context: context } = JSON.parse(world.contents.get('trust-clients') ?? '{}') as {
      validation_context: { crl?: { inline_string: string } };
    };
    return context.crl?.inline_string;
  };

  it('are in one secret with the roots', async () => {
    await world.agent.refresh();
    expect(crlInSecret()).toBe('CRL 1');
    expect(world.agent.trustStates[0]).toMatchObject({ isCrlChecked: true, crlProblems: [] });
  });

  it('are swapped in as soon as they change, with no look at the trust', async () => {
    await world.agent.refresh();
    world.crls = { ...world.crls, pem: 'CRL 2', version: '2' };
    world.trustVersion = 2;
    await world.agent.refreshCrls();
    expect(crlInSecret()).toBe('CRL 2');
    expect(world.contents.get('trust-clients')).toContain('version 1');
    const { length } = world.swaps;
    await world.agent.refreshCrls();
    expect(world.swaps).toHaveLength(length);
  });

  it('that Envoy refuses are told, and offered again: the sidecar goes on with those it has', async () => {
    await world.agent.refresh();
    world.crls = { ...world.crls, pem: 'CRL 2', version: '2' };
    world.refusal = 'Failed to load CRL from <inline>';
    await world.agent.refreshCrls();
    expect(crlInSecret()).toBe('CRL 1');
    expect(world.agent.trustStates[0]?.problems[0]?.code).toBe('ERR_SECRET_REFUSED');
    world.refusal = undefined;
    await world.agent.refreshCrls();
    expect(crlInSecret()).toBe('CRL 2');
    expect(world.agent.trustStates[0]?.problems).toEqual([]);
  });

  it('are taken out where they are lifted, and it is told', async () => {
    await world.agent.refresh();
    world.crls = { verdict: 'lift', mayStart: true, serials: [], version: 'lift', problems: [STALE] };
    await world.agent.refreshCrls();
    expect(crlInSecret()).toBeUndefined();
    expect(world.agent.trustStates[0]).toMatchObject({ isCrlChecked: false, crlProblems: [STALE] });
    const told = world.events.filter(({ text }) => text === 'CRLs not in order');
    expect(told.map(({ facts }) => facts['hierarchy'])).toEqual(['clients', 'servers']);
  });

  it('keep a new root waiting that has none, and what is in use stays', async () => {
    await world.agent.refresh();
    world.crls = { verdict: 'wait', mayStart: true, serials: [], version: 'wait', problems: [MISSING] };
    world.trustVersion = 2;
    await world.agent.refresh();
    expect(world.contents.get('trust-clients')).toContain('version 1');
    expect(crlInSecret()).toBe('CRL 1');
    expect(world.agent.trustStates[0]).toMatchObject({ problems: [MISSING], isCrlChecked: true });
  });

  it.each([
    [true, 'lets a node start without them'],
    [false, 'keeps a node from starting without them'],
  ])('as the policy says (%s): %s', async (mayStart) => {
    world.crls = { verdict: 'wait', mayStart, serials: [], version: 'wait', problems: [MISSING] };
    await world.agent.refresh();
    expect(world.agent.isComplete).toBe(mayStart);
  });
});
