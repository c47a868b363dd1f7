import { sdsFile, sdsFileName } from '../../../mesh/envoy/sds.ts';
import type { SecretSink, WatchedFiles } from '../cert-agent/ports.ts';

/** Secrets as files. Envoy does not say whether it took one: only a handshake tells. */
export function fileSink(files: WatchedFiles): SecretSink {
  return {
    async put(secret) {
      await files.swap(sdsFileName(secret.name), JSON.stringify(sdsFile(secret)));
      return { outcome: 'kept' };
    },
    refusal: () => undefined,
    answers: [],
  };
}
