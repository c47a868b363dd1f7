import { ListTablesCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';

interface BuiltRequest {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
}

/**
 * Where an SDK client would send its calls: by its options, the environment (`AWS_ENDPOINT_URL_DYNAMODB`,
 * `AWS_ENDPOINT_URL`) or the rules of the service.
 *
 * The client is asked by having it build a call that is not sent.
 */
export async function endpointOf(client: DynamoDBClient): Promise<URL> {
  const { promise, resolve, reject } = Promise.withResolvers<URL>();
  const command = new ListTablesCommand({});
  command.middlewareStack.add(
    () => async (args) => {
      const { protocol, hostname, port, path } = args.request as BuiltRequest;
      resolve(new URL(`${protocol}//${hostname}${port === undefined ? '' : `:${port}`}${path}`));
      throw new Error('built, and not sent');
    },
    { step: 'build', priority: 'low', name: 'endpointOf' },
  );
  client.send(command).catch(reject);
  return await promise;
}
