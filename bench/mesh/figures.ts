/**
 * What is told of all the rounds: each figure beside its baseline of the same run.
 *
 * @module
 */

import type { SealOpenRound } from '../seal-open.ts';
import type { MemoryResult } from './memory.ts';
import { OPERATIONS, operationOf, type OperationName } from './operations.ts';
import { MAIN_CONNECTIONS, USUAL_BATCH_CONNECTIONS } from './plan.ts';
import type { RefreshResult } from './refresh.ts';
import { median } from './statistics.ts';
import { find, type Summary } from './summary.ts';

export interface Figure {
  readonly id: string;
  readonly value: number;
  readonly unit: string;
  readonly baseline: { readonly name: string; readonly value: number };
  /** The value, divided by the baseline's. */
  readonly ratio: number;
}

export function figure(id: string, value: number, unit: string, baseline: Figure['baseline']): Figure {
  return { id, value, unit, baseline, ratio: value / baseline.value };
}

/** Rates, and what the tokenizer's own work costs. */
export function rateFigures(summaries: readonly Summary[]): Figure[] {
  const measured = new Set(
    summaries.filter(({ target }) => target === 'usual').map((each) => each.operation),
  );
  const overheads = { 'tokenize-one': '', 'tokenize-batch-100': '-batch-100' } as const;
  return [
    ...OPERATIONS.flatMap(({ name }) => (measured.has(name) ? figuresOf(summaries, name) : [])),
    ...(['tokenize-one', 'tokenize-batch-100'] as const).flatMap((name) =>
      measured.has(name) ? overhead(summaries, name, overheads[name]) : [],
    ),
  ];
}

function figuresOf(summaries: readonly Summary[], operation: OperationName): Figure[] {
  const isOne = operationOf(operation).items === 1;
  const unit = isOne ? 'requests/s' : 'tokens/s';
  const rateOf = (target: string): number => {
    const { requestsPerSecond, tokensPerSecond } = mainOf(summaries, target, operation);
    return isOne ? requestsPerSecond : tokensPerSecond;
  };
  const floor = { name: 'mesh-floor', value: rateOf('mesh-floor') };
  return [
    figure(operation, rateOf('tokenizer'), unit, floor),
    figure(`${operation}-bare`, rateOf('bare'), unit, floor),
    figure(`${operation}-vs-usual`, rateOf('tokenizer'), unit, { name: 'usual', value: rateOf('usual') }),
  ];
}

function mainOf(summaries: readonly Summary[], target: string, operation: OperationName): Summary {
  const isUsualBatch = target === 'usual' && operationOf(operation).items > 1;
  const connections = isUsualBatch ? USUAL_BATCH_CONNECTIONS : MAIN_CONNECTIONS;
  return find(summaries, { target, operation, connections });
}

/** CPU of the app alone, for each token. */
function overhead(summaries: readonly Summary[], operation: OperationName, suffix: string): Figure[] {
  const cpuOf = (target: string): number =>
    mainOf(summaries, target, operation).cpuMicrosecondsPerToken['app'] ?? Number.NaN;
  const [whole, bare, floor] = [cpuOf('tokenizer'), cpuOf('bare'), cpuOf('mesh-floor')];
  return [
    figure(`overhead-us${suffix}`, whole - bare, 'us of CPU a token', { name: 'bare', value: bare }),
    figure(`overhead-us${suffix}-bare`, bare, 'us of CPU a token', { name: 'mesh-floor', value: floor }),
  ];
}

/** @param usualCallsPerToken - What the usual pattern asks of KMS. */
export function memoryFigures(memory: MemoryResult, usualCallsPerToken: number): Figure[] {
  const last = memory.stepsMb.at(-1) ?? Number.NaN;
  return [
    figure('kms-calls-per-million', memory.kmsCallsPerMillion, 'calls', {
      name: 'usual',
      value: usualCallsPerToken * 1_000_000,
    }),
    figure('memory-mb', last, 'MB', { name: 'at rest', value: memory.atRestMb }),
  ];
}

export function refreshFigures({ p99AcrossMs, p99OutsideMs }: RefreshResult): Figure[] {
  return [figure('refresh-p99', p99AcrossMs, 'ms', { name: 'outside', value: p99OutsideMs })];
}

export function sealOpenFigures(rounds: readonly SealOpenRound[]): Figure[] {
  const gcm = median(rounds.map((round) => round.gcm));
  const sealOpen = median(rounds.map((round) => round.sealOpen));
  return [figure('seal-open-vs-gcm', sealOpen, 'us', { name: 'aes-256-gcm', value: gcm })];
}
