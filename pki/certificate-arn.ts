/** An ACM certificate's ARN, in any partition. */
const CERTIFICATE_ARN = /^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate\/[\w-]+$/;

export function isCertificateArn(value: unknown): value is string {
  return typeof value === 'string' && CERTIFICATE_ARN.test(value);
}
