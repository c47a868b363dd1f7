/**
 * docs/api.md, made from the OpenAPI document.
 *
 * @module
 */

interface Operation {
  readonly summary: string;
  readonly description: string;
  readonly responses: Readonly<Record<string, { readonly description: string }>>;
}

export interface ApiDocument {
  readonly info: { readonly description: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

const HEAD = `# The API

Made from \`GET /openapi.json\`, which has the schemas too; a test holds that it is current
(\`UPDATE_GOLDENS=1 npm run test:unit\` writes it again). What each code means: [errors.md](errors.md).
`;

/** Any request may get these, so they are told once. */
function shared(operations: readonly Operation[]): ReadonlySet<string> {
  const [first, ...others] = operations.map(answersOf);
  return new Set([...(first ?? [])].filter((each) => others.every((answers) => answers.has(each))));
}

/** Each status with one of its codes. */
function answersOf({ responses }: Operation): ReadonlySet<string> {
  return new Set(
    Object.entries(responses).flatMap(([status, { description }]) =>
      [...description.matchAll(/`(ERR_[A-Z_]+)`/g)].map(([, code]) => `${status} ${code}`),
    ),
  );
}

function byStatus(answers: readonly string[]): string {
  const statuses = [...new Set(answers.map((each) => each.slice(0, 3)))].toSorted();
  return statuses
    .map((status) => {
      const codes = answers.filter((each) => each.startsWith(status)).map((each) => `\`${each.slice(4)}\``);
      return `${status}: ${codes.join(', ')}`;
    })
    .join('; ');
}

function successesOf({ responses }: Operation): string {
  return Object.keys(responses)
    .filter((status) => status.startsWith('2'))
    .join(', ');
}

export function apiPage({ info, paths }: ApiDocument): string {
  const routes = Object.entries(paths)
    .flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, each]) => [`${method.toUpperCase()} ${path}`, each] as const),
    )
    .toSorted(([one], [other]) => (one.split(' ')[1] ?? '').localeCompare(other.split(' ')[1] ?? '', 'en'));
  const everywhere = shared(routes.map(([, operation]) => operation));
  const rows = routes.map(
    ([route, operation]) =>
      `| \`${route}\` | ${operation.summary} | ${successesOf(operation)} | ${callersOf(operation)} |`,
  );
  const problems = routes.map(([route, operation]) => {
    const own = [...answersOf(operation)].filter((each) => !everywhere.has(each)).toSorted();
    return `| \`${route}\` | ${own.length === 0 ? '–' : byStatus(own)} |`;
  });
  return [
    HEAD,
    info.description,
    '',
    '| route | what | answers | callers |',
    '|---|---|---|---|',
    ...rows,
    '',
    '## Problems',
    `Any route: ${byStatus([...everywhere].toSorted())}.`,
    '',
    'Besides, of a request as a whole. What an item of a batch may fail with, while the others are done, is in the description of its route.',
    '',
    '| route | problems |',
    '|---|---|',
    ...problems,
    '',
  ].join('\n');
}

function callersOf({ description }: Operation): string {
  return (/^Callers: ([^.]*)\./.exec(description)?.[1] ?? '').replace(/;.*/, '');
}
