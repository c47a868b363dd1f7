/**
 * What `cdk` runs: reads the context, makes the stacks, and has them judged.
 *
 * @module
 */

import { App } from 'aws-cdk-lib';
import { describeError } from '../errors/error.ts';
import { readDeployment } from './config.ts';
import { createDeployment } from './deployment.ts';
import { judge } from './validations.ts';

try {
  const app = new App();
  createDeployment(app, readDeployment(app.node.getAllContext() as Record<string, unknown>));
  judge(app);
  app.synth();
} catch (error) {
  process.stderr.write(`${describeError(error)}\n`);
  process.exitCode = 1;
}
