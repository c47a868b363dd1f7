/**
 * The results as Markdown.
 *
 * @module
 */

import type { Figure } from './figures.ts';
import type { MeshBenchResult } from './mesh-bench.ts';
import type { ProfileResult } from './profile.ts';
import { KMS_DELAY_MS } from './refresh.ts';
import { costUsd, PRICES, PRICES_OF } from './prices.ts';
import type { Round } from './rounds.ts';
import type { Summary } from './summary.ts';

export function markdownReport(result: MeshBenchResult): string {
  const { machine } = result;
  return [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, ${machine.system}, Node ${machine.node}, Envoy ${machine.envoy}`,
    section('Figures', figureTable(result.figures)),
    section('Rounds', roundTable(result.summaries)),
    section('CPU, microseconds a token', cpuTable(result.summaries)),
    section('Calls and cost of a million tokens', costTable(result.rounds)),
    ...(result.memory === undefined ? [] : [section('Memory', memoryText(result.memory))]),
    ...(result.refresh === undefined
      ? []
      : [section('Refresh of a branch key', refreshText(result.refresh))]),
    ...Object.entries(result.profiles ?? {}).map(([name, profile]) =>
      section(`Where the time goes: ${name}`, profileTables(profile)),
    ),
    ...(result.notRun.length === 0
      ? []
      : [
          section(
            'Did not run',
            result.notRun.map((line) => `- ${line}`),
          ),
        ]),
  ].join('\n\n');
}

function section(title: string, lines: readonly string[]): string {
  return [`### ${title}`, '', ...(lines.length === 0 ? ['not measured'] : lines)].join('\n');
}

type Cells = readonly (string | number)[];

function table(head: Cells, rows: readonly Cells[]): string[] {
  if (rows.length === 0) return [];
  return [tableLine(head), `|${'---|'.repeat(head.length)}`, ...rows.map(tableLine)];
}

function tableLine(cells: Cells): string {
  return `| ${cells.join(' | ')} |`;
}

/** Three digits that count, and none of an exponent. */
function shown(value: number): string {
  if (Math.abs(value) >= 100) return String(Math.round(value));
  return String(Number(value.toPrecision(3)));
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

function figureTable(figures: readonly Figure[]): string[] {
  return table(
    ['figure', 'value', 'unit', 'baseline', 'its value', 'ratio'],
    figures.map(({ id, value, unit, baseline, ratio }) => [
      `\`${id}\``,
      shown(value),
      unit,
      baseline.name,
      shown(baseline.value),
      shown(ratio),
    ]),
  );
}

function roundTable(summaries: readonly Summary[]): string[] {
  return table(
    [
      'load',
      'connections',
      'target',
      'store',
      'requests/s',
      'tokens/s',
      'p50 ms',
      'p99 ms',
      'rounds',
      'spread',
      'other work',
    ],
    summaries.map((each) => [
      ...[each.operation, each.connections, each.target, each.store],
      ...[shown(each.requestsPerSecond), shown(each.tokensPerSecond), shown(each.p50Ms), shown(each.p99Ms)],
      ...[each.rounds, percent(each.spread), percent(each.otherWork)],
    ]),
  );
}

const PROCESSES = ['app', 'caller', 'listener', 'store', 'kms', 'generator'];

function cpuTable(summaries: readonly Summary[]): string[] {
  return table(
    [
      'load',
      'connections',
      'target',
      'app',
      "caller's Envoy",
      "tokenizer's Envoy",
      'DynamoDB',
      'KMS',
      'load generator',
    ],
    summaries.map((each) => [
      ...[each.operation, each.connections, each.target],
      ...PROCESSES.map((name) => {
        const spent = each.cpuMicrosecondsPerToken[name];
        return spent === undefined ? '' : shown(spent);
      }),
    ]),
  );
}

/** Of all rounds on the stub, which counts; the seals of the audit are by time, and not in it for long. */
function costTable(rounds: readonly Round[]): string[] {
  const counted = rounds.filter((each) => each.store === 'stub' && each.target !== 'mesh-floor');
  const groups = Map.groupBy(counted, (each) => `${each.operation} x${each.connections} ${each.target}`);
  const rows = [...groups].map(([name, group]) => [name, ...costOf(group)]);
  const prices = Object.values(PRICES).map((each) => `${each.usd} USD for ${each.for} ${each.what}`);
  return [
    ...table(['load', 'DynamoDB calls', 'KMS calls', 'write units', 'read units', 'USD'], rows),
    '',
    `Prices: ${prices.join('; ')} (${PRICES_OF}).`,
  ];
}

function costOf(rounds: readonly Round[]): string[] {
  const tokens = rounds.reduce((sum, each) => sum + each.tokens, 0);
  const sum = (value: (round: Round) => number): number =>
    (rounds.reduce((total, each) => total + value(each), 0) * 1_000_000) / tokens;
  const [writes, reads] = [sum((each) => each.writeUnits), sum((each) => each.readUnits)];
  const kms = sum((each) => total(each.kmsCalls));
  const usd =
    costUsd(PRICES.writeUnits, writes) + costUsd(PRICES.readUnits, reads) + costUsd(PRICES.kmsCalls, kms);
  return [
    byName(rounds, 'dynamodbCalls'),
    byName(rounds, 'kmsCalls'),
    shown(writes),
    shown(reads),
    usd.toFixed(2),
  ];
}

function total(calls: Readonly<Record<string, number>>): number {
  return Object.values(calls).reduce((sum, each) => sum + each, 0);
}

/** For a million tokens, by the name of the call. */
function byName(rounds: readonly Round[], kind: 'dynamodbCalls' | 'kmsCalls'): string {
  const tokens = rounds.reduce((sum, each) => sum + each.tokens, 0);
  const names = [...new Set(rounds.flatMap((each) => Object.keys(each[kind])))];
  const counted = names.map((name) => {
    const calls = rounds.reduce((sum, each) => sum + (each[kind][name] ?? 0), 0);
    return { name, calls: Math.round((calls * 1_000_000) / tokens) };
  });
  const asked = counted.filter(({ calls }) => calls > 0).map(({ name, calls }) => `${calls} ${name}`);
  return asked.length === 0 ? '0' : asked.join(', ');
}

function memoryText(memory: NonNullable<MeshBenchResult['memory']>): string[] {
  const steps = memory.stepsMb.map((each) => each.toFixed(0)).join(', ');
  const calls = Object.entries(memory.kmsCalls).filter(([, count]) => count > 0);
  return [
    `At rest ${memory.atRestMb.toFixed(0)} MB; after each ${memory.wantedTokens / 10} tokens, in batches: ${steps} MB.`,
    `${memory.tokens} tokens in ${memory.seconds.toFixed(1)} s. KMS calls since the tokenizer was started: ${calls.map(([name, count]) => `${count} ${name}`).join(', ') || 'none'}.`,
  ];
}

function refreshText(refresh: NonNullable<MeshBenchResult['refresh']>): string[] {
  return [
    `${refresh.refreshes} refreshes in ${refresh.seconds.toFixed(0)} s (a key lives ${refresh.keySeconds} s), KMS takes ${KMS_DELAY_MS} ms: p99 ${refresh.p99AcrossMs.toFixed(2)} ms of ${refresh.answersAcross} answers within 100 ms of a refresh, ${refresh.p99OutsideMs.toFixed(2)} ms of the other ${refresh.answersOutside}.`,
  ];
}

const LEAST_SHARE = 0.01;

/** Of the main thread, while it was not idle. */
function profileTables({ parts, functions }: ProfileResult): string[] {
  const shown = table(['part', 'share'], shareRows(parts));
  return [...shown, '', ...table(['function', 'share'], shareRows(functions))];
}

function shareRows(shares: ProfileResult['parts']): Cells[] {
  return shares
    .filter(({ share }) => share >= LEAST_SHARE)
    .map(({ name, share }) => [`\`${name}\``, `${(share * 100).toFixed(1)} %`]);
}
