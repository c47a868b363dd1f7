/**
 * The OpenAPI document: the schemas that check requests, and around them what no schema says. Which
 * problems a route may answer with, who may call it, its headers, its limits.
 *
 * @module
 */

import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import { PROBLEM_MEDIA_TYPE } from '../../../errors/problem.ts';
import type { Mesh, Operation } from '../../../mesh/definition.ts';
import { ENVOY_PROBLEMS } from '../../../mesh/envoy/http.ts';
import { EXPECTATION_FAILED, REQUEST_PROBLEMS } from '../../../runtime/http-server.ts';
import { SHOWN_PROBLEMS } from '../core/errors.ts';
import { MAX_BATCH_FIELDS, MAX_BATCH_ITEMS } from '../core/items.ts';
import { DEFAULT_RATE } from '../core/rate-limit.ts';
import { IDEMPOTENCY_KEY } from './idempotency.ts';
import { ROUTE_PROBLEMS, type RouteProblems } from './route-problems.ts';
import { ProblemSchema } from './schemas.ts';

/** A part of the document. */
type Part = Record<string, unknown>;

interface ApiOperation {
  summary?: string;
  description?: string;
  parameters?: Part[];
  requestBody?: Part;
  responses: Record<string, Part>;
}

type Paths = Record<string, Record<string, ApiOperation>>;

export function openApi(mesh: Mesh, bodyLimitBytes: number): FastifyDynamicSwaggerOptions {
  return {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'tokenmesh tokenizer',
        description: `Values in, tokens out; and back, for those who may. Every error is a problem document. Each caller may send ${DEFAULT_RATE.perSecond} items a second of each operation, ${DEFAULT_RATE.burst} at once, to each task, unless the mesh definition says otherwise for it; what is over is 429. A body has at most ${bodyLimitBytes} bytes. Every request is answered within ${mesh.requestTimeoutSeconds} seconds.`,
        version: '1',
      },
      security: [{ mutualTls: [] }],
      components: {
        securitySchemes: {
          mutualTls: {
            type: 'mutualTLS',
            description: 'A certificate of the clients hierarchy that names a node of the mesh; TLS 1.3.',
          },
        } as never,
      },
    },
    transformObject: (document) => {
      if (!('openapiObject' in document)) throw new Error('expected an OpenAPI document');
      const { openapiObject } = document;
      const schemas = openapiObject.components?.schemas as Part | undefined;
      if (schemas !== undefined) schemas['Problem'] = ProblemSchema;
      describeAll(openapiObject.paths as unknown as Paths, mesh, bodyLimitBytes);
      return openapiObject;
    },
  };
}

function describeAll(paths: Paths, mesh: Mesh, bodyLimitBytes: number): void {
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const problems = ROUTE_PROBLEMS[`${method.toUpperCase()} ${path}`] ?? { codes: [] };
      operation.description = `${callersOf(mesh, method, path)}${limitsOf(problems)}`;
      if (operation.requestBody !== undefined) {
        operation.requestBody['description'] = `JSON in UTF-8, of at most ${bodyLimitBytes} bytes.`;
      }
      operation.responses = { ...successes(operation.responses), ...problemResponses(problems) };
      if (problems.codes.includes('ERR_IDEMPOTENCY_KEY_REUSED')) addIdempotency(operation);
    }
  }
}

/** What fastify was told of problems is one schema for all; the table has them one by one. */
function successes(responses: ApiOperation['responses']): ApiOperation['responses'] {
  return Object.fromEntries(Object.entries(responses).filter(([status]) => status.startsWith('2')));
}

function callersOf(mesh: Mesh, method: string, path: string): string {
  const operations: readonly Operation[] = mesh.virtualNodes['tokenizer']?.listener.operations ?? [];
  const operation = operations.find((each) => each.method === method.toUpperCase() && each.path === path);
  if (operation === undefined) return 'Callers: nobody in the mesh; from inside the task alone.';
  const { callers } = operation;
  return `Callers: ${typeof callers === 'string' ? `any node of the ${callers}` : callers.join(', ')}.`;
}

function limitsOf({ codes, itemCodes }: RouteProblems): string {
  if (itemCodes === undefined) return '';
  const fields = codes.includes('ERR_TOO_MANY_FIELDS')
    ? ` of at most ${MAX_BATCH_FIELDS} fields together`
    : '';
  return ` At most ${MAX_BATCH_ITEMS} items${fields}. Each has a result of its own, in order; an item may fail with ${listed(itemCodes)}.`;
}

/** Of all layers: the service's own, those of reading a request, and those of the Envoy before it. */
const PROBLEMS = [...SHOWN_PROBLEMS, ...REQUEST_PROBLEMS, EXPECTATION_FAILED, ...ENVOY_PROBLEMS];

const RETRY_AFTER: Part = {
  description: 'Whole seconds until the same request may be sent again.',
  schema: { type: 'string', pattern: String.raw`^\d+$` },
};

/** Statuses that always say when to come again. A 503 of Envoy's own does not. */
const SAYS_WHEN: ReadonlySet<number> = new Set([429, 503]);

/** One response for each status, with the codes that come with it. */
function problemResponses({ codes }: RouteProblems): Record<string, Part> {
  const found = PROBLEMS.filter(({ code }) => codes.includes(code));
  const statuses = [...new Set(found.map(({ status }) => status))].toSorted((one, other) => one - other);
  return Object.fromEntries(
    statuses.map((status) => {
      const here = new Map(found.filter((each) => each.status === status).map((each) => [each.code, each]));
      const names = [...here.keys()].toSorted();
      const saysWhen = SAYS_WHEN.has(status) || names.includes('ERR_IDEMPOTENCY_IN_FLIGHT');
      return [String(status), problemResponse(status, names, [...here.values()], saysWhen)];
    }),
  );
}

function problemResponse(
  status: number,
  codes: readonly string[],
  problems: readonly { readonly code: string; readonly title: string }[],
  saysWhen: boolean,
): Part {
  const titles = problems.map(({ code, title }) => `\`${code}\`: ${title}`).toSorted();
  return {
    description: titles.join(' '),
    ...(saysWhen ? { headers: { 'Retry-After': RETRY_AFTER } } : {}),
    content: {
      [PROBLEM_MEDIA_TYPE]: {
        schema: {
          allOf: [
            { $ref: '#/components/schemas/Problem' },
            { type: 'object', properties: { status: { const: status }, code: { enum: codes } } },
          ],
        },
      },
    },
  };
}

function listed(codes: readonly string[]): string {
  return [...new Set(codes)]
    .toSorted()
    .map((code) => `\`${code}\``)
    .join(', ');
}

function addIdempotency(operation: ApiOperation): void {
  operation.parameters = [
    ...(operation.parameters ?? []),
    {
      name: 'Idempotency-Key',
      in: 'header',
      required: false,
      description:
        'A new one for each call, such as a UUID. A call that is sent again with the same key and body within 24 hours is not done again, and only what had failed of it is done.',
      schema: { type: 'string', pattern: IDEMPOTENCY_KEY, maxLength: 257 },
    },
  ];
  for (const response of Object.values(successes(operation.responses))) {
    response['headers'] = {
      'Idempotency-Replayed': {
        description: 'There where at least one token of the answer was made by an earlier call.',
        schema: { type: 'string', enum: ['true'] },
      },
    };
  }
}
