import { beforeAll, describe, expect, it } from '@jest/globals';
import { SHOWN_PROBLEMS } from '../../../../sidecar/tokenizer/core/errors.ts';
import { ROUTE_PROBLEMS } from '../../../../sidecar/tokenizer/http/route-problems.ts';
import { startTokenizerUnderTest } from '../../../support/tokenizer-under-test.ts';

interface Response {
  readonly description: string;
  readonly headers?: Readonly<Record<string, object>>;
  readonly content?: Readonly<Record<string, { readonly schema: { readonly allOf?: readonly object[] } }>>;
}

interface Operation {
  readonly summary: string;
  readonly description: string;
  readonly parameters?: readonly { readonly name: string }[];
  readonly requestBody?: { readonly description: string };
  readonly responses: Readonly<Record<string, Response>>;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: { readonly Problem: { readonly required: readonly string[] } } };
}

let document: Document;
let operations: readonly (readonly [route: string, operation: Operation])[];
beforeAll(async () => {
  const tokenizer = await startTokenizerUnderTest();
  document = (await tokenizer.send('order', { method: 'GET', url: '/openapi.json' })).json<Document>();
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, each]) => [`${method.toUpperCase()} ${path}`, each] as const),
  );
});

const responseOf = (route: string, status: number): Response | undefined =>
  operations.find(([name]) => name === route)?.[1].responses[String(status)];

const codesOf = (response: Response | undefined): string[] =>
  [...(response?.description ?? '').matchAll(/`(ERR_[A-Z_]+)`/g)].map(([, code = '']) => code);

describe('the OpenAPI document', () => {
  it('has a row of problems for each route, and no row without a route', () => {
    expect(operations.map(([route]) => route).toSorted()).toEqual(Object.keys(ROUTE_PROBLEMS).toSorted());
  });

  it('says on some route of each error of the service, and on none of an error that there is not', () => {
    const told = new Set(
      operations.flatMap(([, { description, responses }]) => [
        ...Object.values(responses).flatMap(codesOf),
        ...codesOf({ description }),
      ]),
    );
    expect(SHOWN_PROBLEMS.filter(({ code }) => !told.has(code))).toEqual([]);
    const declared = Object.values(ROUTE_PROBLEMS).flatMap(({ codes, itemCodes = [] }) => [
      ...codes,
      ...itemCodes,
    ]);
    expect(declared.filter((code) => !told.has(code))).toEqual([]);
  });

  it('has exact statuses, each refusal as a problem document with its codes', () => {
    const wrong = operations.flatMap(([route, { responses }]) =>
      Object.entries(responses)
        .filter(([status]) => !status.startsWith('2'))
        .filter(([status, response]) => {
          const schema = response.content?.['application/problem+json']?.schema;
          const [, exact] = schema?.allOf ?? [];
          const wanted = {
            type: 'object',
            properties: {
              status: { const: Number(status) },
              code: { enum: [...new Set(codesOf(response))] },
            },
          };
          return !/^\d{3}$/.test(status) || JSON.stringify(exact) !== JSON.stringify(wanted);
        })
        .map(([status]) => `${route} ${status}`),
    );
    expect(wrong).toEqual([]);
    expect(document.components.schemas.Problem.required).toEqual([
      'type',
      'title',
      'status',
      'code',
      'remedy',
    ]);
  });

  it.each([400, 403, 408, 413, 414, 417, 431, 500, 502, 503, 504])(
    'tells of a status that any request may get, from Envoy or from reading it: %s',
    (status) => {
      expect(operations.filter(([route]) => responseOf(route, status) === undefined)).toEqual([]);
    },
  );

  it('tells when to come again', () => {
    const places: (readonly [string, number])[] = [
      ...operations.filter(([route]) => route.includes('/v1/')).map(([route]) => [route, 429] as const),
      ...operations.map(([route]) => [route, 503] as const),
      ['POST /v1/tokens', 409],
      ['POST /v1/tokens/batch', 409],
    ];
    expect(
      places.filter(([route, status]) => responseOf(route, status)?.headers?.['Retry-After'] === undefined),
    ).toEqual([]);
    expect(responseOf('PUT /v1/tokens/{token}', 409)?.headers).toBeUndefined();
  });

  it('describes idempotency where there is any', () => {
    const keyed = operations.filter(([, { parameters = [] }]) =>
      parameters.some(({ name }) => name === 'Idempotency-Key'),
    );
    expect(keyed.map(([route]) => route)).toEqual(['POST /v1/tokens', 'POST /v1/tokens/batch']);
    expect(responseOf('POST /v1/tokens', 201)?.headers).toHaveProperty('Idempotency-Replayed');
    expect(responseOf('POST /v1/tokens/batch', 200)?.headers).toHaveProperty('Idempotency-Replayed');
  });

  it('says of each route what it is for, who may call it, and how large its body may be', () => {
    expect(operations.filter(([, { summary }]) => summary === '')).toEqual([]);
    expect(operations.find(([route]) => route === 'POST /v1/tokens')?.[1]).toMatchObject({
      description: 'Callers: order.',
      requestBody: { description: 'JSON in UTF-8, of at most 8388608 bytes.' },
    });
    expect(operations.find(([route]) => route === 'POST /v1/detokenize/batch')?.[1].description).toMatch(
      /^Callers: paybill\. At most 1000 items\..*`ERR_TOKEN_UNKNOWN`/,
    );
    expect(operations.find(([route]) => route === 'GET /metrics')?.[1].description).toMatch(
      /nobody in the mesh/,
    );
    expect(JSON.stringify(document)).toContain('"propertyNames":{');
  });
});
