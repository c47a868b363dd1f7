/**
 * `node runtime/healthcheck.ts`: the health check of an app's container, which has no shell.
 *
 * Whether the process answers, not whether AWS does: a task is not replaced because KMS is away.
 *
 * @module
 */

import { endWithHealth } from './health.ts';

await endWithHealth('the app', process.env['TOKENMESH_APP_SOCKET'] ?? '', '/healthz');
