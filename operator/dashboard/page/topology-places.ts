/**
 * Where the nodes of the drawing stand: a step beyond all that call them, worked out from the
 * edges alone, so that a node that is added finds its place.
 *
 * @module
 */

import type { ShownEdge, ShownNode } from '../snapshot.ts';

/** How a drawing lies: calls go to the right, or down where the screen is narrow. */
export interface Shape {
  readonly isTall: boolean;
  readonly nodeWidth: number;
  readonly nodeHeight: number;
  /** Between one step of a call and the next. */
  readonly gapAlong: number;
  readonly gapAcross: number;
}

export const WIDE: Shape = { isTall: false, nodeWidth: 132, nodeHeight: 52, gapAlong: 98, gapAcross: 42 };
export const TALL: Shape = { isTall: true, nodeWidth: 104, nodeHeight: 50, gapAlong: 76, gapAcross: 22 };

const MARGIN = 12;

export interface Place {
  readonly x: number;
  readonly y: number;
  /** Where the gap before its step begins, in the direction of the calls. */
  readonly before: number;
}

type Calls = readonly Pick<ShownEdge, 'from' | 'to'>[];

export interface Drawing {
  readonly places: ReadonlyMap<string, Place>;
  readonly width: number;
  readonly height: number;
}

export function placeNodes(nodes: readonly Pick<ShownNode, 'name'>[], calls: Calls, shape: Shape): Drawing {
  const names = nodes.map(({ name }) => name);
  const steps = stepsOf(names, calls);
  const { rows, count } = rowsOf(names, calls, steps);
  const { isTall, nodeWidth, nodeHeight, gapAlong, gapAcross } = shape;
  const [long, broad] = isTall ? [nodeHeight, nodeWidth] : [nodeWidth, nodeHeight];
  const along = (step: number): number => MARGIN + step * (long + gapAlong);
  const across = (row: number): number => MARGIN + row * (broad + gapAcross);
  const places = new Map(
    names.map((name) => {
      const a = along(steps.get(name) ?? 0);
      const c = across(rows.get(name) ?? 0);
      return [name, { x: isTall ? c : a, y: isTall ? a : c, before: a - gapAlong }];
    }),
  );
  const length = along(Math.max(0, ...steps.values())) + long + MARGIN;
  const breadth = across(count) - gapAcross + MARGIN;
  return { places, width: isTall ? breadth : length, height: isTall ? length : breadth };
}

/** Beside each other within a step; a step of fewer stands in the middle of the fullest. */
function rowsOf(
  names: readonly string[],
  calls: Calls,
  steps: ReadonlyMap<string, number>,
): { readonly rows: ReadonlyMap<string, number>; readonly count: number } {
  // Who is called by nobody stands aside, so that its lines pass the others.
  const isAside = (name: string): boolean => steps.get(name) !== 0 && !calls.some(({ to }) => to === name);
  const inLine = names.filter((name) => !isAside(name));
  const inStep = (name: string): string[] => inLine.filter((each) => steps.get(each) === steps.get(name));
  const fullest = Math.max(1, ...inLine.map((name) => inStep(name).length));
  const aside = names.filter(isAside);
  const rows = new Map([
    ...inLine.map((name): [string, number] => {
      const step = inStep(name);
      return [name, step.indexOf(name) + (fullest - step.length) / 2];
    }),
    ...aside.map((name, index): [string, number] => [name, fullest + index]),
  ]);
  return { rows, count: fullest + aside.length };
}

/** The longest way that leads to each; who is called by nobody but the first stands just before what it calls. */
function stepsOf(names: readonly string[], calls: Calls): Map<string, number> {
  const steps = new Map(names.map((name) => [name, 0]));
  // As many rounds as there are nodes: a circle of calls ends then too.
  for (const _ of names) {
    for (const { from, to } of calls) {
      steps.set(to, Math.min(names.length, Math.max(steps.get(to) ?? 0, (steps.get(from) ?? 0) + 1)));
    }
  }
  for (const name of names.slice(1)) {
    if (calls.some(({ to }) => to === name)) continue;
    const next = calls.filter(({ from }) => from === name).map(({ to }) => steps.get(to) ?? 0);
    steps.set(name, Math.max(0, Math.min(...next, names.length) - 1));
  }
  return steps;
}
