import { TokenmeshError } from '../../errors/error.ts';

export interface AwsCall {
  /** As IAM writes it: `acm:ExportCertificate`. */
  readonly action: string;
  /** The ARN or name that the call is about. */
  readonly resource: string;
  /** A call whose request holds a passphrase or a key: AWS's own words may quote it, so they are left out. */
  readonly carriesSecret?: boolean;
}

/**
 * Runs one call of the SDK, which has its own retries, and turns a failure into an error that says what to do.
 *
 * @throws {TokenmeshError} `ERR_AWS_CALL_FAILED`.
 */
export async function callAws<Answer>(call: AwsCall, send: () => Promise<Answer>): Promise<Answer> {
  try {
    return await send();
  } catch (error) {
    throw error instanceof TokenmeshError ? error : failureOf(call, error);
  }
}

/** Whether an error of the SDK is one of these exceptions: judged by name, as the SDK's own classes differ by client. */
export function isAwsError(error: unknown, ...names: readonly string[]): boolean {
  return error instanceof Error && names.includes(error.name);
}

function failureOf(call: AwsCall, error: unknown): TokenmeshError {
  const name = error instanceof Error ? error.name : 'an unknown error';
  const said = error instanceof Error && call.carriesSecret !== true ? ` (${error.message})` : '';
  return new TokenmeshError({
    code: 'ERR_AWS_CALL_FAILED',
    message: `${call.action} on ${call.resource} failed: expected an answer, got ${name}${said}`,
    remedy: remedyOf(name, call),
    ...(call.carriesSecret === true ? {} : { cause: error }),
  });
}

function remedyOf(name: string, call: AwsCall): string {
  if (/AccessDenied|NotAuthorized|UnrecognizedClient|ExpiredToken|Credentials/.test(name)) {
    return `check the credentials, and that the role may do ${call.action} on this resource`;
  }
  if (/NotFound/.test(name)) return 'check the name, the account and the region';
  if (/Throttl|TooManyRequests|LimitExceeded/.test(name)) return 'try again later, or ask for a higher quota';
  if (/Timeout|ECONN|ENOTFOUND|Network/i.test(name)) {
    return 'check the way to AWS: the VPC endpoint, the security group, AWS_ENDPOINT_URL';
  }
  if (/InvalidRequest|InvalidState/.test(name)) {
    return 'look at the state of the resource: one that is scheduled for deletion must be restored first';
  }
  return 'try again; if it goes on, look the error up in the documentation of the call';
}
