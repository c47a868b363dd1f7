/**
 * Lambda@Edge's event for a request, as far as it is read, and what may be answered.
 *
 * After "Lambda@Edge event structure" in the CloudFront developer guide. The body is there only where the
 * association of the function includes it.
 *
 * @module
 */

export interface EdgeEvent {
  readonly Records: readonly [
    { readonly cf: { readonly config: EdgeEventConfig; readonly request: EdgeRequest } },
  ];
}

export interface EdgeEventConfig {
  readonly eventType: 'viewer-request' | 'origin-request';
}

export interface EdgeRequest {
  readonly method: string;
  readonly uri: string;
  readonly headers: EdgeHeaders;
  readonly body?: EdgeBody;
}

export type EdgeHeaders = Readonly<
  Record<string, readonly { readonly key?: string; readonly value: string }[]>
>;

export interface EdgeBody {
  readonly action: 'read-only' | 'replace';
  readonly data: string;
  readonly encoding: 'base64' | 'text';
  /** Whether CloudFront cut the body off at its limit. */
  readonly inputTruncated?: boolean;
}

/** An answer of the function's own: the origin is not asked. */
export interface EdgeResponse {
  readonly status: string;
  readonly statusDescription: string;
  readonly headers: EdgeHeaders;
  readonly body: string;
}

/**
 * How long a body may be, in and out: more reaches the function cut off, and a longer replacement fails the
 * request ("Restrictions on edge functions", request body with the include body option).
 */
export const BODY_LIMIT_BYTES: Readonly<Record<EdgeEventConfig['eventType'], number>> = {
  'viewer-request': 40 * 1024,
  'origin-request': 1024 * 1024,
};
