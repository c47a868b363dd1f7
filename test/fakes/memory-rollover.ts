import { TokenmeshError } from '../../errors/error.ts';
import type { CertificateRole, Hierarchy } from '../../mesh/definition.ts';
import type { NodeServes, NodeTrusts } from '../../operator/checks/rollover.ts';
import type { Generation, Rollover, RolloverPorts, RolloverRecords } from '../../operator/ca/ports.ts';
import { readCertificate } from '../../pki/certificate.ts';

/** Records in memory, as Secrets Manager keeps them: of two writers of one revision, one goes on. */
export class MemoryRecords implements RolloverRecords {
  readonly #records = new Map<Hierarchy, Rollover>();

  async read(hierarchy: Hierarchy): Promise<Rollover | undefined> {
    return this.#records.get(hierarchy);
  }

  async write(rollover: Rollover): Promise<void> {
    const found = this.#records.get(rollover.hierarchy);
    if ((found?.revision ?? 0) >= rollover.revision && JSON.stringify(found) !== JSON.stringify(rollover)) {
      throw new TokenmeshError({ code: 'ERR_ROLLOVER_ELSEWHERE', message: 'taken', remedy: 'wait' });
    }
    this.#records.set(rollover.hierarchy, rollover);
  }
}

/** A mesh of two nodes that take what is published at once, except where a test has them lag. */
export class MemoryMesh {
  readonly nodes = ['order', 'tokenizer'];
  /** The nodes that take no new trust. */
  readonly lagging = new Set<string>();
  /** The nodes that go on showing the certificate that they had. */
  readonly lagInServing = new Set<string>();
  readonly generations: readonly Generation[];
  /** In the order in which it happened. */
  readonly happened: string[] = [];
  /** Fails at what it names, once: as a process does that is killed there. */
  dieAt: string | undefined;
  #now = 0;
  #runs = 0;
  #published: readonly string[];
  readonly #taken = new Map<string, readonly string[]>();
  readonly #issuedFrom = new Map<string, number>();
  readonly #shows = new Map<string, number>();

  constructor(generations: readonly Generation[]) {
    this.generations = generations;
    this.#published = [this.#serial(1)];
    for (const node of this.nodes) {
      this.#taken.set(node, this.#published);
      this.#issuedFrom.set(node, 1);
      this.#shows.set(node, 1);
    }
  }

  ports(records: RolloverRecords): RolloverPorts {
    return {
      records,
      authorities: {
        newest: async () => this.#generation(1),
        create: async (_hierarchy, generation) => {
          this.#happen(`create ${generation}`);
          return this.#generation(generation);
        },
        disable: async ({ generation }) => this.#happen(`disable ${generation}`),
      },
      trust: {
        publish: async (_hierarchy, roots) => {
          this.#published = roots.map((pem) => readCertificate(pem).serial);
          this.#happen(`trust ${this.#published.map((serial) => this.#number(serial)).join('+')}`);
          return this.#published.join();
        },
      },
      revocation: {
        prepare: async (_hierarchy, generations) =>
          this.#happen(`lists ${generations.map(({ generation }) => generation).join('+')}`),
      },
      certificates: {
        issueFrom: async (_hierarchy, { generation }) => {
          for (const node of this.nodes) this.#issuedFrom.set(node, generation);
          this.#happen(`issue ${generation}`);
        },
        deleteReplaced: async () => {
          this.#happen('delete');
          return this.nodes.length;
        },
      },
      nodes: {
        trusts: async () => this.nodes.map((node) => this.#trusts(node)),
        serves: async (role, { generation }) =>
          this.nodes.map((node) => this.#serves(node, role, generation)),
      },
      afterStep: async () => {},
      runId: String((this.#runs += 1)),
      clock: () => new Date(this.#now),
      sleep: async (milliseconds) => {
        this.#now += milliseconds;
      },
      progress: () => {},
    };
  }

  /** What would fail now: a node that shows a certificate which another does not trust. */
  get broken(): string[] {
    return this.nodes.flatMap((shows) =>
      this.nodes
        .filter((trusts) => !this.#taken.get(trusts)?.includes(this.#serial(this.#shows.get(shows) ?? 0)))
        .map((trusts) => `${trusts} refuses ${shows}`),
    );
  }

  #trusts(node: string): NodeTrusts {
    if (!this.lagging.has(node)) this.#taken.set(node, this.#published);
    this.#happen();
    const taken = this.#taken.get(node) ?? [];
    return { node, version: taken.join(), problems: [], usesBundle: true, loadedRoots: [taken] };
  }

  #serves(node: string, role: CertificateRole, generation: number): NodeServes {
    const issuedFrom = this.#issuedFrom.get(node) ?? 0;
    if (!this.lagInServing.has(node)) this.#shows.set(node, issuedFrom);
    this.#happen();
    return {
      node,
      role,
      publishedSerial: String(issuedFrom),
      isOfGeneration: issuedFrom === generation,
      servedSerial: String(this.#shows.get(node)),
      problems: [],
    };
  }

  #happen(what?: string): void {
    if (this.broken.length > 0) throw new Error(this.broken.join());
    if (what === undefined) return;
    this.happened.push(what);
    if (this.dieAt !== what) return;
    this.dieAt = undefined;
    throw new Error('killed');
  }

  #generation(generation: number): Generation {
    const found = this.generations.find((each) => each.generation === generation);
    if (found === undefined) throw new Error(`there is no generation ${generation}`);
    return found;
  }

  #serial(generation: number): string {
    return readCertificate(this.#generation(generation).rootCertificate).serial;
  }

  #number(serial: string): number {
    return this.generations.find(({ generation }) => this.#serial(generation) === serial)?.generation ?? 0;
  }
}
