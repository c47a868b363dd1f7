/**
 * docs/mesh-definition.md, made from the types of the definition and what stands above them.
 *
 * @module
 */

import { parse } from '@babel/parser';
import type { Comment, Statement, TSInterfaceDeclaration, TSPropertySignature, TSType } from '@babel/types';

const HEAD = `# The definition of the mesh

Made from \`mesh/entries.ts\` and \`mesh/definition.ts\`; a test holds that it is current (\`UPDATE_GOLDENS=1 npm run test:unit\` writes it again).

The mesh is \`mesh/tokenization-mesh.ts\`: plain data, an entry for each member. \`composeMesh\` makes the definition of it, in App Mesh's words, which Envoy's bootstraps, the policies, the deployment and the checks are made from.
What is wrong with it is told at the start, all of it: \`ERR_MESH_INVALID\`. [tutorial.md](tutorial.md) adds a member.
`;

export interface Source {
  readonly title: string;
  readonly text: string;
}

export function definitionPage(sources: readonly Source[]): string {
  return [HEAD, ...sources.map(({ title, text }) => `## ${title}\n\n${typesIn(text).join('\n')}`)].join('\n');
}

function typesIn(text: string): string[] {
  const { program } = parse(text, { sourceType: 'module', plugins: ['typescript'] });
  return program.body.flatMap((statement) => typeIn(statement, text));
}

function typeIn(statement: Statement, text: string): string[] {
  if (statement.type !== 'ExportNamedDeclaration') return [];
  const { declaration, leadingComments } = statement;
  const said = contractIn(leadingComments);
  if (declaration?.type === 'TSTypeAliasDeclaration') {
    const type = aliasOf(declaration.typeAnnotation, text);
    return [[`### ${declaration.id.name}`, ...paragraph(said.text), type, ''].join('\n')];
  }
  if (declaration?.type !== 'TSInterfaceDeclaration') return [];
  return [
    [`### ${declaration.id.name}`, ...paragraph(said.text), ...table(declaration, text), ''].join('\n'),
  ];
}

/** One of several literals, each with what stands above it, or a type as it is written. */
function aliasOf(type: TSType, text: string): string {
  const each = type.type === 'TSUnionType' ? type.types : [type];
  // What stands above a member of a union comes before its bar: behind the member before it.
  const said = each.map((_, index) => contractIn(each[index - 1]?.trailingComments).text);
  if (said.every((one) => one === '')) return `\`${sourceOf(type, text)}\``;
  return each
    .map((one, index) => `- \`${sourceOf(one, text)}\`${said[index] === '' ? '' : `: ${said[index]}`}`)
    .join('\n');
}

function table(declaration: TSInterfaceDeclaration, text: string): string[] {
  const further = (declaration.extends ?? []).map((each) => `And what \`${sourceOf(each, text)}\` has.\n`);
  const rows = declaration.body.body
    .filter((member): member is TSPropertySignature => member.type === 'TSPropertySignature')
    .map((member) => row(member, text));
  if (rows.length !== declaration.body.body.length) throw new Error('expected properties alone');
  return [...further, '| key | type | what | default |', '|---|---|---|---|', ...rows];
}

function row(member: TSPropertySignature, text: string): string {
  const { key, typeAnnotation, optional, leadingComments } = member;
  const said = contractIn(leadingComments);
  const type = typeAnnotation ? sourceOf(typeAnnotation.typeAnnotation, text) : '';
  const omitted = said.fallback ?? (optional === true ? 'left out' : '');
  return `| \`${sourceOf(key, text)}\` | \`${type.replaceAll('|', '\\|')}\` | ${said.text.replaceAll('|', '\\|')} | ${omitted} |`;
}

function sourceOf({ start, end }: { start?: number | null; end?: number | null }, text: string): string {
  return text
    .slice(start ?? 0, end ?? 0)
    .replaceAll(/\/\*\*.*?\*\//gs, '')
    .replaceAll(/\breadonly /g, '')
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/^\| |(?<=<) | (?=>)/g, '');
}

/** The last comment above a thing, in one line, and what it says of a default. */
function contractIn(comments: readonly Comment[] | null | undefined): { text: string; fallback?: string } {
  const found = (comments ?? []).findLast(({ value }) => value.startsWith('*') && !value.includes('@module'));
  const lines = (found?.value ?? '*').slice(1).replaceAll(/^\s*\* ?/gm, '');
  const [text = '', fallback] = lines.replaceAll(/\{@link (\w+)\}/g, '`$1`').split('@default');
  const flat = (part: string): string => part.trim().replaceAll(/\s+/g, ' ');
  return { text: flat(text), ...(fallback === undefined ? {} : { fallback: flat(fallback) }) };
}

function paragraph(text: string): string[] {
  return text === '' ? [] : [`${text}\n`];
}
