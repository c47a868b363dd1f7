import { inspect } from 'node:util';

const REDACTED = '[redacted]';

/**
 * A value that must not be shown: a passphrase, a private key.
 *
 * Printing, logging, interpolating or serializing it gives `[redacted]`. The
 * only way to the value is {@link Sensitive.reveal}, which is easy to search for.
 */
export class Sensitive<Value> {
  readonly #value: Value;

  constructor(value: Value) {
    this.#value = value;
  }

  reveal(): Value {
    return this.#value;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [inspect.custom](): string {
    return REDACTED;
  }
}
