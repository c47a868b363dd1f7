/**
 * The Lambda@Edge function: fields of JSON requests are encrypted before any server of ours sees them.
 *
 * Its settings are put in when it is bundled, in place of the variable below. Needs no permission but to write
 * its log, in which no request is.
 *
 * @module
 */

import { readEdgeConfig } from './config.ts';
import { encryptRequest } from './encrypt-request.ts';
import type { EdgeEvent, EdgeRequest, EdgeResponse } from './event.ts';

const config = readEdgeConfig(process.env['TOKENMESH_EDGE_SETTINGS']);

export async function handler(event: EdgeEvent): Promise<EdgeRequest | EdgeResponse> {
  return encryptRequest(config, event);
}
