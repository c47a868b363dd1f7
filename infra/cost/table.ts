import type { Cost } from './cost.ts';

export interface CostRow {
  readonly size: string;
  readonly what: string;
  readonly certificates: string;
  readonly cost: Cost;
}

/** What the choices of a deployment add to it. */
export interface OptionRow {
  readonly size: string;
  readonly what: string;
  /** Titles of columns, and USD a month. */
  readonly adds: Readonly<Record<string, number>>;
}

const COLUMNS: readonly [title: string, part: keyof Cost][] = [
  ['CAs', 'authorities'],
  ['certificates', 'certificates'],
  ['tasks', 'tasks'],
  ['network', 'network'],
  ['edge', 'edge'],
  ['keys, secrets', 'keysAndSecrets'],
  ['tables', 'tables'],
  ['watching', 'watching'],
  ['**total**', 'total'],
];

/** As Markdown, in whole USD a month. */
export function costTable(rows: readonly CostRow[]): string {
  const head = ['size', 'certificates', ...COLUMNS.map(([title]) => title)];
  const lines = rows.map(({ size, what, certificates, cost }) => [
    `${size}: ${what}`,
    certificates,
    ...COLUMNS.map(([, part]) => (part === 'total' ? `**${whole(cost[part])}**` : whole(cost[part]))),
  ]);
  return markdown(head, 2, lines);
}

export function optionTable(rows: readonly OptionRow[]): string {
  const titles = Object.keys(rows[0]?.adds ?? {});
  const lines = rows.map(({ size, what, adds }) => [
    `${size}: ${what}`,
    ...titles.map((title) => whole(adds[title] ?? 0)),
  ]);
  return markdown(['size', ...titles], 1, lines);
}

/** @param texts - How many columns hold no numbers. */
function markdown(head: readonly string[], texts: number, lines: readonly (readonly string[])[]): string {
  return [head, head.map((_, index) => (index < texts ? '---' : '---:')), ...lines]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

function whole(usd: number): string {
  return Math.round(usd).toLocaleString('en-US');
}
