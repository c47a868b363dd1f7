/**
 * `node sidecar/envoy/healthcheck.ts`: the health check of the sidecar's container, which has no shell.
 *
 * Healthy is a sidecar whose Envoy runs and was seen to serve the certificates that were delivered last.
 *
 * @module
 */

import { endWithHealth } from '../../runtime/health.ts';
import { agentSocketIn } from './agent-socket.ts';

await endWithHealth('the sidecar', agentSocketIn(process.env), '/status');
