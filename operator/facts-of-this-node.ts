#!/usr/bin/env node
/**
 * What `verify` looks at in one node, as one JSON document on standard output: run in the container of a
 * sidecar, with its environment. On AWS:
 *
 *   aws ecs execute-command --interactive --container envoy --command "node operator/facts-of-this-node.ts" ...
 *
 * `mesh verify-node -` judges what it prints. Exit code 1 where the environment is not a sidecar's.
 *
 * @module
 */

import { describeError } from '../errors/error.ts';
import { readConfig } from '../sidecar/envoy/config.ts';
import { nodeFacts } from './facts/node.ts';

try {
  const { nodeName, agentSocket, placement } = readConfig(process.env);
  const facts = await nodeFacts(nodeName, agentSocket, placement.admin);
  process.stdout.write(`${JSON.stringify(facts)}\n`);
} catch (error) {
  process.stderr.write(`facts-of-this-node: ${describeError(error)}\n`);
  process.exitCode = 1;
}
