/** The outsider: a member of the mesh with a good certificate and no right, which tries everything. */

import { createEgress } from '../../runtime/egress.ts';
import { runApp } from '../app-process.ts';
import { readConfig } from './config.ts';
import { createOutsiderServer } from './routes.ts';

await runApp('outsider', (logger) => {
  const config = readConfig(process.env);
  const dispatcher = createEgress(config.egressSocket);
  return {
    server: createOutsiderServer({ dispatcher, logger }),
    appSocket: config.appSocket,
    close: () => dispatcher.close(),
  };
});
