import { createPrivateKey } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { ErrorCode } from '../../../../errors/error.ts';
import type { CertificateRole } from '../../../../mesh/definition.ts';
import { readCertificate } from '../../../../pki/certificate.ts';
import type { AgentEvent } from '../../../../sidecar/envoy/cert-agent/agent.ts';
import {
  shortLivedSource,
  type ShortLivedSource,
} from '../../../../sidecar/envoy/cert-agent/issuance/short-lived-source.ts';
import { judgeDelivered } from '../../../../sidecar/envoy/cert-agent/judge.ts';
import type { DeliveredCertificate } from '../../../../sidecar/envoy/cert-agent/ports.ts';
import { MemoryIssuer } from '../../../fakes/memory-issuer.ts';
import { createTestHierarchy, type TestHierarchy } from '../../../support/issue-certificate.ts';

const NAME = 'order.tokenmesh.internal';
const LIFE_SECONDS = 120;
/** As the agent looks: every second. */
const POLL_MS = 1_000;

let hierarchies: Record<CertificateRole, TestHierarchy>;

beforeAll(async () => {
  hierarchies = {
    client: await createTestHierarchy('clients'),
    server: await createTestHierarchy('servers'),
  };
});

/** A task with a CA in memory, and time in hand. */
class Task {
  now = Math.ceil(Date.now() / 1000) * 1000;
  readonly startedAt = this.now;
  readonly issuer = new MemoryIssuer(hierarchies, () => this.now);
  readonly events: AgentEvent[] = [];
  readonly source: ShortLivedSource = shortLivedSource({
    issuer: this.issuer,
    trust: async (hierarchy) => ({ version: '1', secretName: `trust/${hierarchy}`, roots: 'roots' }),
    identity: NAME,
    lifeSeconds: LIFE_SECONDS,
    fleetTasks: 1,
    now: () => this.now,
    sleep: async (ms) => void (this.now += ms),
    random: () => 0,
    log: (event) => this.events.push(event),
  });

  /** What the agent sees, look by look, for so many seconds: a version, or the code of what is wrong. */
  async look(seconds: number): Promise<string[]> {
    const seen: string[] = [];
    const until = this.now + seconds * 1000;
    while (this.now < until) {
      seen.push(await this.once());
      this.now += POLL_MS;
    }
    return seen;
  }

  async once(): Promise<string> {
    try {
      return (await this.source.certificate('client')).version;
    } catch (error) {
      return (error as { code: string }).code;
    }
  }
}

let task: Task;

beforeEach(() => {
  task = new Task();
});

const judge = (delivered: DeliveredCertificate) =>
  judgeDelivered(NAME, () => new Date(task.now))('client', delivered, hierarchies.client.root.certificate);

describe('a certificate of two minutes', () => {
  it('renews itself three times over, each time at two thirds of its life, under a new key', async () => {
    const seen: DeliveredCertificate[] = [];
    const until = task.now + 3 * 81_000 + 5_000;
    while (task.now < until) {
      const delivered = await task.source.certificate('client');
      if (delivered.version !== seen.at(-1)?.version) seen.push(delivered);
      expect(judge(delivered)).toEqual([]);
      task.now += POLL_MS;
    }
    expect(seen).toHaveLength(4);
    const keys = seen.map(({ secret }) => readCertificate(secret.certificate).x509.publicKey);
    expect(new Set(keys.map((key) => key.export({ type: 'spki', format: 'pem' }))).size).toBe(4);
    const issuedAt = task.events.map(({ facts }) => Date.parse(String(facts['issuedAt'])));
    const gaps = issuedAt.slice(1).map((at, index) => at - (issuedAt[index] ?? 0));
    for (const gap of gaps) {
      // Two thirds of 120 s, and the second until the agent looks again.
      expect(gap).toBeGreaterThanOrEqual(79_000);
      expect(gap).toBeLessThanOrEqual(81_000);
    }
  });

  it('is the same delivery until then', async () => {
    expect(new Set(await task.look(78))).toHaveProperty('size', 1);
    expect(task.issuer.orders).toHaveLength(1);
  });
});

describe('the key', () => {
  it('opens with the passphrase of its delivery, which no log and no order has', async () => {
    const { secret, passphrase } = await task.source.certificate('client');
    expect(secret.encryptedPrivateKey).toContain('ENCRYPTED PRIVATE KEY');
    const key = createPrivateKey({ key: secret.encryptedPrivateKey, passphrase: passphrase.reveal() });
    const scalar = key.export({ format: 'jwk' }).d ?? '';
    const told = JSON.stringify([task.events, task.source.states, task.issuer.orders]);
    expect(scalar).toHaveLength(43);
    expect(told).not.toContain(scalar);
    expect(told).not.toContain(passphrase.reveal());
    expect(told).not.toContain('PRIVATE KEY');
  });
});

describe('a renewal that fails', () => {
  it.each<ErrorCode>([
    'ERR_ISSUE_THROTTLED',
    'ERR_ISSUE_CA_NOT_ACTIVE',
    'ERR_ISSUE_DENIED',
    'ERR_ISSUE_REFUSED',
    'ERR_ISSUE_UNAVAILABLE',
  ])('with %s is told, tried again inside the life that is left, and recovers', async (code) => {
    const first = await task.once();
    task.now = task.startedAt + 80_000;
    task.issuer.placeFault = code;
    expect(new Set(await task.look(10))).toEqual(new Set([code]));
    const tries = task.issuer.orders.length - 1;
    expect(tries).toBeGreaterThanOrEqual(3);
    expect(tries).toBeLessThanOrEqual(8);
    expect(task.source.states[0]).toMatchObject({ failures: tries, alarm: 'none', issued: 1 });
    task.issuer.placeFault = undefined;
    const after = await task.look(10);
    expect(after.at(-1)).toMatch(/^[\da-f]{64}$/);
    expect(after.at(-1)).not.toBe(first);
    expect(task.source.states[0]).toMatchObject({ failures: 0, alarm: 'none', issued: 2 });
  });

  it('is an alarm with a fifth of the life left, and another one once it is over', async () => {
    await task.once();
    task.now = task.startedAt + 80_000;
    task.issuer.placeFault = 'ERR_ISSUE_DENIED';
    const seen = await task.look(45);
    expect([...new Set(seen)]).toEqual(['ERR_ISSUE_DENIED', 'ERR_RENEWAL_OVERDUE', 'ERR_RENEWAL_EXPIRED']);
    await expect(task.source.certificate('client')).rejects.toMatchObject({
      message: expect.stringContaining('the CA in memory says ERR_ISSUE_DENIED'),
      remedy: 'unset the fault',
    });
    task.issuer.placeFault = undefined;
    expect((await task.look(35)).at(-1)).toMatch(/^[\da-f]{64}$/);
  });

  it('says one thing for as long as it fails for one reason, so that it is logged once', async () => {
    await task.once();
    task.now = task.startedAt + 80_000;
    task.issuer.placeFault = 'ERR_ISSUE_THROTTLED';
    const messages = new Set<string>();
    for (let looks = 0; looks < 10; looks += 1, task.now += POLL_MS) {
      await task.source
        .certificate('client')
        .catch((error: unknown) => messages.add((error as Error).message));
    }
    expect(messages.size).toBe(1);
  });
});

describe('an order', () => {
  it('whose answer was lost is placed again with its token and key, and issued once', async () => {
    task.issuer.losesNextAnswer = true;
    expect(await task.once()).toMatch(/^[\da-f]{64}$/);
    const [first, second] = task.issuer.orders;
    expect(second?.idempotencyToken).toBe(first?.idempotencyToken);
    expect(second?.request).toBe(first?.request);
    expect(task.issuer.issued).toBe(1);
  });

  it('is new once the CA has forgotten its token', async () => {
    task.issuer.placeFault = 'ERR_ISSUE_UNAVAILABLE';
    await task.look(120);
    task.issuer.placeFault = undefined;
    await task.look(120);
    const tokens = new Set(task.issuer.orders.map((each) => each.idempotencyToken));
    expect(tokens.size).toBeGreaterThan(1);
    expect(tokens.size).toBeLessThan(task.issuer.orders.length);
  });

  it('is shared by two who ask at once', async () => {
    const [one, other] = await Promise.all([
      task.source.certificate('client'),
      task.source.certificate('client'),
    ]);
    expect(one).toBe(other);
    expect(task.issuer.orders).toHaveLength(1);
  });

  it('that is signed slowly is told as slow, asked for again and not placed twice', async () => {
    task.issuer.signsAfterMs = 60_000;
    const seen = await task.look(65);
    expect(seen).toContain('ERR_ISSUE_SLOW');
    expect(seen.at(-1)).toMatch(/^[\da-f]{64}$/);
    expect(task.issuer.orders).toHaveLength(1);
  });

  it('that is slow leaves the old certificate in use while it renews', async () => {
    await task.once();
    task.now = task.startedAt + 80_000;
    task.issuer.signsAfterMs = 4_000;
    const seen = await task.look(6);
    expect(seen.every((each) => /^[\da-f]{64}$/.test(each))).toBe(true);
    expect(new Set(seen).size).toBe(2);
  });

  it('stands while the certificate cannot be collected', async () => {
    task.issuer.collectFault = 'ERR_ISSUE_DENIED';
    expect(await task.once()).toBe('ERR_ISSUE_DENIED');
    task.issuer.collectFault = undefined;
    expect((await task.look(30)).at(-1)).toMatch(/^[\da-f]{64}$/);
    expect(task.issuer.orders).toHaveLength(1);
  });
});

describe('trust', () => {
  it('is delivered as in export mode', async () => {
    expect(await task.source.trust('servers')).toMatchObject({ secretName: 'trust/servers' });
  });
});
