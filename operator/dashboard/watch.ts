import { setTimeout as sleep } from 'node:timers/promises';
import { describeError, withoutDigits } from '../../errors/error.ts';
import type { Mesh } from '../../mesh/definition.ts';
import type { AwsClients } from '../aws-clients.ts';
import { writeIdentityFiles } from '../identities.ts';
import type { RunState } from '../run-state.ts';
import { verifyMesh } from '../verify.ts';
import { Collector } from './collector.ts';
import type { ShownChecks, Snapshot } from './snapshot.ts';

export interface WatchParts {
  readonly mesh: Mesh;
  readonly state: RunState;
  readonly aws: AwsClients;
  /** @default 300 */
  readonly checkEverySeconds?: number;
}

interface Events {
  readonly snapshot: Snapshot;
  readonly checks: ShownChecks;
  /** That there is nothing to tell, and why. */
  readonly trouble: { readonly message: string };
}

type Send = <Name extends keyof Events>(event: Name, body: Events[Name]) => void;

const LOOK_EVERY_MS = 2_000;
/** The checks send requests of their own over every edge, so they are made seldom. */
const CHECK_EVERY_SECONDS = 300;
/** What failed is looked at again, and so is what a rotation may have changed. */
const CHECK_AGAIN_MS = 15_000;
const CHECK_AFTER_ROTATION_MS = 3_000;
/** Of a mesh that does not answer any more, not everything is waited for. */
const CHECKS_END_WITHIN_MS = 5_000;

/** Looks at the mesh as long as somebody looks at it, and tells all of them the same. */
export class Watch {
  readonly #parts: WatchParts;
  readonly #collector: Collector;
  readonly #watchers = new Set<Send>();
  readonly #closing = new AbortController();
  #turns: Promise<unknown> = Promise.resolve();
  #isLooking = false;
  #isChecking = false;
  #checksDueAt = 0;
  #snapshot: Snapshot | undefined;
  #checks: ShownChecks | undefined;

  constructor(parts: WatchParts) {
    this.#parts = parts;
    this.#collector = new Collector(parts, this.#closing.signal);
  }

  get watchers(): number {
    return this.#watchers.size;
  }

  /** @returns To be called when the watcher goes. */
  join(send: Send): () => void {
    this.#watchers.add(send);
    if (this.#snapshot !== undefined) send('snapshot', this.#snapshot);
    if (this.#checks !== undefined) send('checks', this.#checks);
    if (!this.#isLooking && !this.#closing.signal.aborted) this.#turns = this.#look();
    return () => void this.#watchers.delete(send);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#turns;
    await this.#collector.ended;
  }

  async #look(): Promise<void> {
    const { signal } = this.#closing;
    this.#isLooking = true;
    let checking: Promise<void> = Promise.resolve();
    while (this.#watchers.size > 0 && !signal.aborted) {
      await this.#tell();
      if (!this.#isChecking && Date.now() >= this.#checksDueAt) checking = this.#check();
      await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
    this.#isLooking = false;
    // What it writes for the checks must not come after the files of the run have been removed.
    await Promise.race([checking, sleep(CHECKS_END_WITHIN_MS, undefined, { ref: false })]);
  }

  async #tell(): Promise<void> {
    try {
      const rotations = this.#snapshot?.rotations.length;
      this.#snapshot = await this.#collector.look();
      if (rotations !== undefined && this.#snapshot.rotations.length > rotations)
        this.#checksDueAt = Math.min(this.#checksDueAt, Date.now() + CHECK_AFTER_ROTATION_MS);
      this.#send('snapshot', this.#snapshot);
    } catch (error) {
      this.#send('trouble', { message: withoutDigits(describeError(error)) });
    }
  }

  /** The very checks of `mesh verify`. */
  async #check(): Promise<void> {
    const { mesh, state, aws, checkEverySeconds = CHECK_EVERY_SECONDS } = this.#parts;
    this.#isChecking = true;
    const started = Date.now();
    try {
      await writeIdentityFiles(state, mesh.name, aws.secretsManager);
      const { checks, ok } = await verifyMesh(mesh, state, aws);
      this.#checks = { at: new Date(started).toISOString(), tookMs: Date.now() - started, checks };
      this.#checksDueAt = Date.now() + (ok ? checkEverySeconds * 1000 : CHECK_AGAIN_MS);
      this.#send('checks', this.#checks);
    } catch (error) {
      this.#checksDueAt = Date.now() + CHECK_AGAIN_MS;
      this.#send('trouble', {
        message: `the checks could not be made: ${withoutDigits(describeError(error))}`,
      });
    } finally {
      this.#isChecking = false;
    }
  }

  #send: Send = (event, body) => {
    for (const send of this.#watchers) send(event, body);
  };
}
