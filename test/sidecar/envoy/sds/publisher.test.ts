import { beforeEach, describe, expect, it } from '@jest/globals';
import { validationContextSecret, type SdsSecret, type SdsSecretName } from '../../../../mesh/envoy/sds.ts';
import { SecretPublisher } from '../../../../sidecar/envoy/sds/publisher.ts';
import type { SecretStream } from '../../../../sidecar/envoy/sds/stream.ts';

const REASON = 'Failed to load certificate chain from <inline>';

const secret = (name: SdsSecretName, contents: string): SdsSecret => validationContextSecret(name, contents);

/** What one Envoy was sent on one stream, and its answers. */
class Envoy {
  readonly sent: { contents: string[]; nonce: string }[] = [];
  readonly stream: SecretStream;
  readonly #names: readonly string[];

  constructor(publisher: SecretPublisher, ...names: string[]) {
    this.#names = names;
    this.stream = publisher.open((secrets, nonce) =>
      this.sent.push({ contents: secrets.map((each) => contentsOf(each.secret)), nonce }),
    );
    this.stream.receive({ resourceNames: names, responseNonce: '' });
  }

  get last(): string[] | undefined {
    return this.sent.at(-1)?.contents;
  }

  /** @param refusal - Why it is not taken; taken where there is none. */
  answer(refusal?: string, responseNonce = this.sent.at(-1)?.nonce ?? ''): void {
    const reason = refusal === undefined ? {} : { refusal };
    this.stream.receive({ resourceNames: this.#names, responseNonce, ...reason });
  }
}

function contentsOf(each: SdsSecret): string {
  const context = each['validation_context'] as { trusted_ca: { inline_string: string } };
  return context.trusted_ca.inline_string;
}

let publisher = new SecretPublisher();
beforeEach(() => {
  publisher = new SecretPublisher(50);
});

describe('a publisher of secrets', () => {
  it('sends a stream what it asks for, and nothing else', async () => {
    await publisher.put(secret('client', 'c1'));
    await publisher.put(secret('server', 's1'));
    expect(new Envoy(publisher, 'server').sent).toEqual([{ contents: ['s1'], nonce: '1' }]);
    expect(new Envoy(publisher, 'client', 'server').last).toEqual(['c1', 's1']);
  });

  it('keeps a secret for when somebody asks', async () => {
    expect(await publisher.put(secret('server', 's1'))).toEqual({ outcome: 'kept' });
  });

  it('sends a secret once it is there where it was asked for before', async () => {
    const envoy = new Envoy(publisher, 'server');
    expect(envoy.sent).toEqual([]);
    const put = publisher.put(secret('server', 's1'));
    expect(envoy.last).toEqual(['s1']);
    envoy.answer();
    expect(await put).toEqual({ outcome: 'taken' });
  });

  it('says that a secret was taken only when every stream that has it said so', async () => {
    const [one, other] = [new Envoy(publisher, 'server'), new Envoy(publisher, 'server')];
    const put = publisher.put(secret('server', 's1'));
    one.answer();
    expect(await put).toEqual({ outcome: 'unanswered' });
    const again = publisher.put(secret('server', 's2'));
    one.answer();
    other.answer();
    expect(await again).toEqual({ outcome: 'taken' });
  });

  it('says that a secret was refused, and why', async () => {
    const envoy = new Envoy(publisher, 'server');
    const put = publisher.put(secret('server', 'bad'));
    envoy.answer(REASON);
    expect(await put).toEqual({ outcome: 'refused', reason: REASON });
    expect(publisher.refusal('server')).toBe(REASON);
    expect(publisher.answers).toEqual([{ name: 'server', taken: 0, refused: 1, refusal: REASON }]);
  });

  it('sends the last that was taken after one that was refused, to this stream and to every new one', async () => {
    const envoy = new Envoy(publisher, 'server');
    void publisher.put(secret('server', 's1'));
    envoy.answer();
    const put = publisher.put(secret('server', 'bad'));
    envoy.answer(REASON);
    await put;
    expect(envoy.sent.map(({ contents }) => contents)).toEqual([['s1'], ['bad'], ['s1']]);
    envoy.answer();
    expect(publisher.answers).toEqual([{ name: 'server', taken: 2, refused: 1, refusal: REASON }]);
    expect(new Envoy(publisher, 'server').last).toEqual(['s1']);
  });

  it('sends nothing more where Envoy refuses what it took before', async () => {
    const envoy = new Envoy(publisher, 'server');
    void publisher.put(secret('server', 's1'));
    envoy.answer();
    void publisher.put(secret('server', 'bad'));
    envoy.answer(REASON);
    envoy.answer(REASON);
    expect(envoy.sent).toHaveLength(3);
  });

  it('forgets a refusal once the next secret is taken', async () => {
    const envoy = new Envoy(publisher, 'server');
    void publisher.put(secret('server', 'bad'));
    envoy.answer(REASON);
    const put = publisher.put(secret('server', 's2'));
    envoy.answer();
    expect(await put).toEqual({ outcome: 'taken' });
    expect(publisher.refusal('server')).toBeUndefined();
    expect(publisher.answers).toEqual([{ name: 'server', taken: 1, refused: 1 }]);
  });

  it('takes an answer to an older response for that one alone', async () => {
    const envoy = new Envoy(publisher, 'server');
    void publisher.put(secret('server', 's1'));
    const put = publisher.put(secret('server', 's2'));
    envoy.answer(undefined, '1');
    expect(publisher.answers).toEqual([{ name: 'server', taken: 1, refused: 0 }]);
    envoy.answer(REASON, '2');
    expect(await put).toEqual({ outcome: 'refused', reason: REASON });
    expect(new Envoy(publisher, 'server').last).toEqual(['s1']);
  });

  it('takes one answer to a response, and none to one that it never sent', () => {
    const envoy = new Envoy(publisher, 'server');
    void publisher.put(secret('server', 's1'));
    envoy.answer();
    envoy.answer(REASON, '1');
    envoy.answer(REASON, '7');
    expect(publisher.answers).toEqual([{ name: 'server', taken: 1, refused: 0 }]);
  });

  it('waits for nobody who has gone', async () => {
    const envoy = new Envoy(publisher, 'server');
    const put = publisher.put(secret('server', 's1'));
    publisher.close(envoy.stream);
    expect(await put).toEqual({ outcome: 'kept' });
    expect(await publisher.put(secret('server', 's2'))).toEqual({ outcome: 'kept' });
    expect(envoy.sent).toHaveLength(1);
  });
});
