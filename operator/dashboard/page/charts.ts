import { h, type JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot/dist/uPlot.esm.js';
import type { LoadPoint } from '../snapshot.ts';
import { milliseconds, rate } from './format.ts';
import { useMedia } from './use-media.ts';

const HEIGHT = 170;

interface Line {
  readonly label: string;
  /** A custom property of the style sheet. */
  readonly colour: string;
  readonly isDashed?: boolean;
  readonly of: (point: LoadPoint) => number | null;
}

interface ChartProps {
  readonly label: string;
  readonly points: readonly LoadPoint[];
  readonly lines: readonly Line[];
  readonly write: (value: number | null | undefined) => string;
}

const RATES: readonly Line[] = [
  { label: 'tokenized', colour: '--line-one', of: (point) => point.tokenizedPerSecond },
  { label: 'detokenized', colour: '--line-two', isDashed: true, of: (point) => point.detokenizedPerSecond },
];

const LATENCIES: readonly Line[] = [
  { label: 'median', colour: '--line-one', of: (point) => point.p50Ms },
  { label: '99th percentile', colour: '--line-two', isDashed: true, of: (point) => point.p99Ms },
];

export function LoadCharts({ load }: { load: readonly LoadPoint[] }): JSX.Element {
  return h(
    'div',
    { class: 'pair' },
    h(
      'div',
      null,
      h('h3', null, 'Tokens a second'),
      h(Chart, {
        label: 'Tokens a second',
        points: load,
        lines: RATES,
        write: (value) => rate(value ?? undefined),
      }),
    ),
    h(
      'div',
      null,
      h('h3', null, 'Latency of the tokenizer'),
      h(Chart, { label: 'Latency', points: load, lines: LATENCIES, write: milliseconds }),
    ),
  );
}

function Chart({ label, points, lines, write }: ChartProps): JSX.Element {
  const holder = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const isDark = useMedia('(prefers-color-scheme: dark)');
  const draw = (): void => {
    const element = holder.current;
    if (element === null) return;
    plot.current?.destroy();
    plot.current = new uPlot(optionsFor(element, lines, write), dataOf(points, lines), element);
  };
  useEffect(() => {
    draw();
    const resized = new ResizeObserver(() => {
      const width = holder.current?.clientWidth ?? 0;
      if (width > 0) plot.current?.setSize({ width, height: HEIGHT });
    });
    if (holder.current !== null) resized.observe(holder.current);
    return () => {
      resized.disconnect();
      plot.current?.destroy();
    };
    // Its colours are drawn, and not styled.
  }, [isDark]);
  useEffect(() => plot.current?.setData(dataOf(points, lines)), [points]);
  const last = points.at(-1);
  const now = lines.map((line) => ({ ...line, value: write(last === undefined ? null : line.of(last)) }));
  return h(
    'figure',
    { class: 'chart' },
    h('div', {
      ref: holder,
      role: 'img',
      'aria-label': `${label}, the last minutes. Now: ${now.map((line) => `${line.label} ${line.value}`).join(', ')}`,
    }),
    h(
      'figcaption',
      null,
      now.map((line) =>
        h(
          'span',
          { key: line.label, class: `key ${line.isDashed === true ? 'two' : 'one'}` },
          line.label,
          ' ',
          h('strong', null, line.value),
        ),
      ),
    ),
  );
}

function dataOf(points: readonly LoadPoint[], lines: readonly Line[]): uPlot.AlignedData {
  return [points.map(({ atSeconds }) => atSeconds), ...lines.map(({ of }) => points.map(of))];
}

function optionsFor(element: HTMLElement, lines: readonly Line[], write: ChartProps['write']): uPlot.Options {
  const colour = (name: string): string => getComputedStyle(element).getPropertyValue(name).trim();
  const axis = {
    stroke: colour('--muted'),
    grid: { stroke: colour('--grid'), width: 1 },
    ticks: { show: false },
  };
  return {
    width: Math.max(element.clientWidth, 200),
    height: HEIGHT,
    padding: [10, 8, 0, 0],
    legend: { show: false },
    cursor: { show: false },
    scales: { y: { range: (_plot, _low, high) => [0, Math.max(high * 1.15, 1)] } },
    axes: [
      {
        ...axis,
        values: (_plot, seconds) => seconds.map((each) => new Date(each * 1000).toLocaleTimeString('en-GB')),
        space: 90,
      },
      { ...axis, size: 58, values: (_plot, values) => values.map((value) => write(value)) },
    ],
    series: [
      {},
      ...lines.map((line) => ({
        label: line.label,
        stroke: colour(line.colour),
        width: 2,
        ...(line.isDashed === true ? { dash: [6, 4] } : {}),
        points: { show: false },
      })),
    ],
  };
}
