import type { FastifyInstance, FastifyRequest } from 'fastify';

const UTF_8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Takes bodies of JSON in UTF-8 (RFC 8259 section 8.1) and of nothing else.
 *
 * What is not UTF-8 is refused, rather than stored with its characters replaced: what is revealed
 * later has to be what was sent.
 */
export function takeStrictJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    if (!isPlainUtf8(request)) {
      done(refusal('FST_ERR_CTP_INVALID_MEDIA_TYPE', 415));
      return;
    }
    try {
      void parse(request, UTF_8.decode(body as Buffer), done);
    } catch {
      done(refusal('FST_ERR_CTP_INVALID_JSON_BODY', 400));
    }
  });
}

function isPlainUtf8({ headers }: FastifyRequest): boolean {
  const charset = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(headers['content-type'] ?? '')?.[1] ?? 'utf-8';
  return /^utf-?8$/i.test(charset) && (headers['content-encoding'] ?? 'identity') === 'identity';
}

/** Under the code that fastify itself would use, so that both are told alike. */
function refusal(code: string, statusCode: number): Error {
  return Object.assign(new Error('the body was refused'), { code, statusCode });
}
