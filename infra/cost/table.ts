import type { Cost } from './cost.ts';

export interface CostRow {
  readonly size: string;
  readonly what: string;
  readonly certificates: string;
  readonly cost: Cost;
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
  return [head, head.map((_, index) => (index < 2 ? '---' : '---:')), ...lines]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

function whole(usd: number): string {
  return Math.round(usd).toLocaleString('en-US');
}
