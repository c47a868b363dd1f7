/**
 * Which secrets Envoy is offered and what it says to them: SDS, state of the world, without the wire.
 *
 * Every response has a nonce. Envoy answers each with a request that names it: with an error it did not
 * take the secret (NACK), without one it did (ACK). A stream that opens gets everything that it asks
 * for, whatever it says that it has: so Envoy is whole again after a break.
 *
 * What Envoy refused is followed at once by the last secret that it took. It goes on serving that one
 * either way, but it keeps what it refused too, and then refuses whatever comes under other names: after
 * a bad trust bundle a good certificate would not be taken (measured, Envoy 1.40; Envoy issue 42438).
 *
 * https://www.envoyproxy.io/docs/envoy/v1.40.0/api-docs/xds_protocol, "ACK/NACK and resource type instance version"
 *
 * @module
 */

import type { SdsSecret, SdsSecretName } from '../../../mesh/envoy/sds.ts';
import type { PutOutcome, SecretAnswers, SecretSink } from '../cert-agent/ports.ts';
import { SecretStream, type SendSecrets, type VersionedSecret } from './stream.ts';

interface WaitingPut {
  readonly secret: VersionedSecret;
  readonly unanswered: Set<SecretStream>;
  readonly settle: (outcome: PutOutcome) => void;
}

export class SecretPublisher implements SecretSink {
  readonly #offered = new Map<SdsSecretName, VersionedSecret>();
  readonly #taken = new Map<SdsSecretName, VersionedSecret>();
  readonly #newest = new Map<SdsSecretName, number>();
  readonly #answers = new Map<SdsSecretName, SecretAnswers>();
  readonly #streams = new Set<SecretStream>();
  #waiting: WaitingPut[] = [];
  #version = 0;
  readonly #answerWithinMs: number;

  /** @param answerWithinMs - How long {@link put} waits for Envoy's word. */
  constructor(answerWithinMs = 2_000) {
    this.#answerWithinMs = answerWithinMs;
  }

  /** Offers a secret to every stream that asks for it, and waits for what Envoy says. */
  async put(secret: SdsSecret): Promise<PutOutcome> {
    this.#version += 1;
    const offered = { version: this.#version, secret };
    this.#offered.set(secret.name, offered);
    this.#newest.set(secret.name, offered.version);
    const subscribers = [...this.#streams].filter((stream) => stream.asksFor(secret.name));
    if (subscribers.length === 0) return { outcome: 'kept' };
    const answered = Promise.withResolvers<PutOutcome>();
    const timer = setTimeout(() => answered.resolve({ outcome: 'unanswered' }), this.#answerWithinMs);
    const waiting = { secret: offered, unanswered: new Set(subscribers), settle: answered.resolve };
    this.#waiting.push(waiting);
    for (const stream of subscribers) stream.send([secret.name]);
    try {
      return await answered.promise;
    } finally {
      clearTimeout(timer);
      this.#waiting = this.#waiting.filter((each) => each !== waiting);
    }
  }

  refusal(name: SdsSecretName): string | undefined {
    return this.#answers.get(name)?.refusal;
  }

  get answers(): SecretAnswers[] {
    return [...this.#answers.values()];
  }

  /** Begins a stream, until its end is told. */
  open(send: SendSecrets): SecretStream {
    const stream = new SecretStream({
      send,
      current: (name) => this.#offered.get(name),
      onTaken: (secret) => this.#onTaken(stream, secret),
      onRefused: (secret, reason) => this.#onRefused(stream, secret, reason),
    });
    this.#streams.add(stream);
    return stream;
  }

  close(stream: SecretStream): void {
    this.#streams.delete(stream);
    for (const waiting of this.#waiting) this.#answeredBy(waiting, stream, 'kept');
  }

  #onTaken(stream: SecretStream, taken: VersionedSecret): void {
    const { name } = taken.secret;
    const before = this.#taken.get(name);
    if (before === undefined || before.version < taken.version) this.#taken.set(name, taken);
    const known = this.#answersTo(name);
    const { refusal: _over, ...answered } = known;
    const isNewest = taken.version === this.#newest.get(name);
    this.#answers.set(name, { ...(isNewest ? answered : known), taken: known.taken + 1 });
    for (const waiting of this.#waiting) {
      if (waiting.secret === taken) this.#answeredBy(waiting, stream, 'taken');
    }
  }

  #onRefused(stream: SecretStream, refused: VersionedSecret, reason: string): void {
    const { name } = refused.secret;
    const known = this.#answersTo(name);
    this.#answers.set(name, { ...known, refused: known.refused + 1, refusal: reason });
    const lastGood = this.#taken.get(name);
    // With no good one there is nothing better to offer: Envoy has none either way.
    if (this.#offered.get(name) === refused && lastGood !== undefined && lastGood !== refused) {
      this.#offered.set(name, lastGood);
      stream.send([name]);
    }
    for (const waiting of this.#waiting) {
      if (waiting.secret === refused) waiting.settle({ outcome: 'refused', reason });
    }
  }

  #answersTo(name: SdsSecretName): SecretAnswers {
    return this.#answers.get(name) ?? { name, taken: 0, refused: 0 };
  }

  #answeredBy(waiting: WaitingPut, stream: SecretStream, outcome: 'taken' | 'kept'): void {
    if (waiting.unanswered.delete(stream) && waiting.unanswered.size === 0) waiting.settle({ outcome });
  }
}
