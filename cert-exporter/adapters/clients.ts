/**
 * How our clients of the control path behave: the SDK's own retries, and a deadline on each attempt.
 *
 * The SDK only warns of a request that outlasts `requestTimeout` unless it is told to throw. Region,
 * credentials and endpoint come from the environment, as the SDK reads it.
 */
export const CONTROL_PATH_CLIENT = {
  retryMode: 'standard',
  maxAttempts: 4,
  requestHandler: { connectionTimeout: 2_000, requestTimeout: 10_000, throwOnRequestTimeout: true },
} as const;
