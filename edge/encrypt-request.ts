/**
 * A request at the edge: its fields encrypted, or refused there. Nothing that was to be encrypted is passed on
 * in the clear.
 *
 * @module
 */

import { answerOf, edgeProblem } from './answers.ts';
import type { EdgeConfig, EdgeRoute } from './config.ts';
import { encryptFields } from './encrypt-fields.ts';
import {
  BODY_LIMIT_BYTES,
  type EdgeBody,
  type EdgeEvent,
  type EdgeRequest,
  type EdgeResponse,
} from './event.ts';
import { sealValue } from './seal-value.ts';

const UTF_8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * @returns The request to pass on, or an answer in place of it. The content length is left alone: it is
 *   CloudFront's to set, which does so for a body that was replaced.
 */
export function encryptRequest(config: EdgeConfig, event: EdgeEvent): EdgeRequest | EdgeResponse {
  const { request, config: association } = event.Records[0].cf;
  try {
    const route = routeOf(config, request);
    if (route === undefined) return request;
    const limit = BODY_LIMIT_BYTES[association.eventType];
    const data = encryptFields(readBody(request), route.fields, (fieldClass, value) =>
      sealValue(config, { class: fieldClass, tenant: config.tenant, value }),
    );
    if (Buffer.byteLength(data) > limit) throw edgeProblem('ERR_EDGE_BODY_TOO_LARGE');
    return { ...request, body: { action: 'replace', encoding: 'text', data } };
  } catch (error) {
    const answer = answerOf(error);
    if (answer === undefined) throw error;
    return answer;
  }
}

/** @throws {EdgeProblem} for a path that cannot be read, where a route has its method. */
function routeOf({ routes }: EdgeConfig, { method, uri }: EdgeRequest): EdgeRoute | undefined {
  const ofMethod = routes.filter(({ methods }) => methods.has(method));
  if (ofMethod.length === 0) return undefined;
  for (const spelling of spellingsOf(uri)) {
    const found = ofMethod.find((each) => isOf(each, spelling));
    if (found !== undefined) return found;
  }
  return undefined;
}

function isOf({ path }: EdgeRoute, spelling: string): boolean {
  return path.endsWith('*') ? spelling.startsWith(path.slice(0, -1)) : spelling === path;
}

/**
 * The path as the Envoys of the mesh read it, and then as a server may that decodes it once more, until that
 * changes nothing: another spelling of a route must not slip past it.
 */
function* spellingsOf(uri: string): Generator<string> {
  if (!URL.canParse(`https://edge${uri}`) || !isEncodedWell(uri)) throw edgeProblem('ERR_EDGE_PATH');
  for (let path = uri, last = ''; path !== last;) {
    last = path;
    const { pathname } = new URL(`https://edge${path.replaceAll(/[\\/]{2,}|\\/g, '/')}`);
    path = pathname.replaceAll(/(?:%[\dA-Fa-f]{2})+/g, (text) =>
      isEncodedWell(text) ? decodeURIComponent(text) : text,
    );
    yield path;
  }
}

function isEncodedWell(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** @throws {EdgeProblem} for whatever is not the whole of a JSON text. */
function readBody(request: EdgeRequest): string {
  const { body } = request;
  if (body === undefined) throw edgeProblem('ERR_EDGE_BODY_MISSING');
  if (body.inputTruncated === true) throw edgeProblem('ERR_EDGE_BODY_TOO_LARGE');
  if (!isPlainJson(request)) throw edgeProblem('ERR_EDGE_MEDIA_TYPE');
  const bytes = bytesOf(body);
  const said = headerOf(request, 'content-length');
  if (said !== undefined && Number(said) !== bytes.length) throw edgeProblem('ERR_EDGE_BODY_LENGTH');
  try {
    return UTF_8.decode(bytes);
  } catch {
    throw edgeProblem('ERR_EDGE_BODY_NOT_UTF8');
  }
}

function bytesOf({ data, encoding }: EdgeBody): Buffer {
  return Buffer.from(data, encoding === 'base64' ? 'base64' : 'utf8');
}

function isPlainJson(request: EdgeRequest): boolean {
  const type = headerOf(request, 'content-type') ?? '';
  const charset = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(type)?.[1] ?? 'utf-8';
  const encoding = headerOf(request, 'content-encoding') ?? 'identity';
  return (
    /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(type) &&
    /^utf-?8$/i.test(charset) &&
    encoding === 'identity'
  );
}

function headerOf({ headers }: EdgeRequest, name: string): string | undefined {
  return headers[name]?.[0]?.value;
}
