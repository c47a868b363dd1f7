/** The database server of a local run, which ends with this process, as this one does with the run. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { stopOnSignal } from '../../runtime/lifecycle.ts';

const [binary = '', ...serverArguments] = process.argv.slice(2);

const server = spawn(binary, serverArguments, { stdio: ['ignore', 'inherit', 'inherit'] });
const exited = once(server, 'exit');
let stopping = false;
stopOnSignal(async () => {
  stopping = true;
  server.kill('SIGTERM');
  // Nothing of it is kept, so it need not finish what it writes.
  setTimeout(() => server.kill('SIGKILL'), 3_000).unref();
  await exited;
});
await exited;
if (!stopping) process.exit(1);
