import type { SdsSecret, SdsSecretName } from '../../../mesh/envoy/sds.ts';

export interface VersionedSecret {
  readonly version: number;
  readonly secret: SdsSecret;
}

/** What of a discovery request counts here. */
export interface SecretRequest {
  readonly resourceNames: readonly string[];
  readonly responseNonce: string;
  /** Envoy's reason, where the request is a NACK. */
  readonly refusal?: string;
}

export type SendSecrets = (secrets: readonly VersionedSecret[], nonce: string) => void;

export interface SecretStreamParts {
  readonly send: SendSecrets;
  readonly current: (name: SdsSecretName) => VersionedSecret | undefined;
  readonly onTaken: (secret: VersionedSecret) => void;
  readonly onRefused: (secret: VersionedSecret, reason: string) => void;
}

/** One stream of Envoy's, from its first request to its end. */
export class SecretStream {
  readonly #parts: SecretStreamParts;
  readonly #unanswered = new Map<string, readonly VersionedSecret[]>();
  #names: ReadonlySet<string> = new Set();
  #responses = 0;

  constructor(parts: SecretStreamParts) {
    this.#parts = parts;
  }

  asksFor(name: SdsSecretName): boolean {
    return this.#names.has(name);
  }

  receive(request: SecretRequest): void {
    this.#answer(request);
    const added = request.resourceNames.filter((name) => !this.#names.has(name));
    this.#names = new Set(request.resourceNames);
    if (added.length > 0) this.send(added as SdsSecretName[]);
  }

  /** What is not there yet is sent once it is. */
  send(names: readonly SdsSecretName[]): void {
    const secrets = names.flatMap((name) => this.#parts.current(name) ?? []);
    if (secrets.length === 0) return;
    this.#responses += 1;
    const nonce = String(this.#responses);
    this.#unanswered.set(nonce, secrets);
    this.#parts.send(secrets, nonce);
  }

  /** A nonce that is not known answers nothing: it is empty, or was answered before. */
  #answer({ responseNonce, refusal }: SecretRequest): void {
    const secrets = this.#unanswered.get(responseNonce) ?? [];
    this.#unanswered.delete(responseNonce);
    for (const secret of secrets) {
      if (refusal === undefined) this.#parts.onTaken(secret);
      else this.#parts.onRefused(secret, refusal);
    }
  }
}
