import { h, type JSX } from 'preact';
import type { ShownEdge, ShownNode } from '../snapshot.ts';
import { count, rate } from './format.ts';
import { placeNodes, TALL, WIDE, type Drawing, type Place, type Shape } from './topology-places.ts';
import { useMedia } from './use-media.ts';

const LINES_APART = 13;

interface Props {
  readonly nodes: readonly ShownNode[];
  readonly edges: readonly ShownEdge[];
}

/** Who talks to whom, drawn; the table beneath says the same in words. */
export function Topology({ nodes, edges }: Props): JSX.Element {
  const shape = useMedia('(max-width: 700px)') ? TALL : WIDE;
  const drawing = placeNodes(nodes, edges, shape);
  const { places, width, height } = drawing;
  return h(
    'div',
    { class: 'scroll', role: 'region', 'aria-label': 'Drawing of the mesh', tabIndex: 0 },
    h(
      'svg',
      {
        class: shape.isTall ? 'topology tall' : 'topology',
        viewBox: `0 0 ${width} ${height}`,
        role: 'img',
        'aria-label': `Drawing: ${edges.map((edge) => `${edge.from} calls ${edge.to}`).join(', ')}. The table below has the figures.`,
      },
      edges.map((edge) => h(EdgeLine, { key: `${edge.from} ${edge.to}`, edge, edges, drawing, shape })),
      nodes.map((node) => h(NodeBox, { key: node.name, node, shape, place: places.get(node.name) })),
    ),
  );
}

/** `live`: something goes over it now. `refused`: it fails now, or hardly anything is let through. */
function stateOf(edge: ShownEdge): string {
  const isRefused = edge.isFailing || edge.requests === undefined || isShutOut(edge);
  const isLive = (edge.requestsPerSecond ?? 0) > 0;
  return ['edge', edge.mode, isRefused ? 'refused' : '', isLive ? 'live' : ''].join(' ').trim();
}

/** Most of what it asked for was denied. */
export function isShutOut({ requests, denied }: ShownEdge): boolean {
  return requests !== undefined && requests > 0 && denied > requests / 2;
}

interface EdgeLineProps extends Pick<Props, 'edges'> {
  readonly edge: ShownEdge;
  readonly drawing: Drawing;
  readonly shape: Shape;
}

function EdgeLine({ edge, edges, drawing: { places }, shape }: EdgeLineProps): JSX.Element | null {
  const from = places.get(edge.from);
  const to = places.get(edge.to);
  if (from === undefined || to === undefined) return null;
  const start = endOf(from, shape, 'from');
  const end = endOf(to, shape, 'to');
  const side = shift(edge, 'from', edges, places, shape) + start.across;
  const aim = shift(edge, 'to', edges, places, shape) + end.across;
  // Past the steps in between it goes straight on, and turns in the last gap.
  const turn = to.before;
  const bend = (end.along - turn) / 2;
  const at = (along: number, across: number): string => pair(shape, along, across).join(' ');
  const path = `M${at(start.along, side)}L${at(turn, side)}C${at(turn + bend, side)} ${at(end.along - bend, aim)} ${at(end.along - 7, aim)}`;
  const head = `M${at(end.along - 9, aim - 5)}L${at(end.along - 1, aim)}L${at(end.along - 9, aim + 5)}Z`;
  const isLong = turn > start.along;
  const [x, y] = isLong
    ? pair(shape, (start.along + turn) / 2, side)
    : pair(shape, turn + bend, (side + aim) / 2);
  return h(
    'g',
    { class: stateOf(edge) },
    h('path', { class: 'line', d: path }),
    h('path', { class: 'head', d: head }),
    h('text', { x, y: y + (shape.isTall ? 4 : -6), 'text-anchor': 'middle' }, labelOf(edge)),
  );
}

/** From the direction of the calls and the one across it to x and y. */
function pair({ isTall }: Shape, along: number, across: number): [number, number] {
  return isTall ? [across, along] : [along, across];
}

function endOf(
  { x, y }: Place,
  { isTall, nodeWidth, nodeHeight }: Shape,
  end: 'from' | 'to',
): { along: number; across: number } {
  const [near, across] = isTall ? [y, x + nodeWidth / 2] : [x, y + nodeHeight / 2];
  const far = near + (isTall ? nodeHeight : nodeWidth);
  return { along: end === 'from' ? far : near, across };
}

/** Lines that share an end stand side by side there, in the order of their other ends. */
function shift(
  edge: ShownEdge,
  end: 'from' | 'to',
  edges: readonly ShownEdge[],
  places: ReadonlyMap<string, Place>,
  { isTall }: Shape,
): number {
  const other = end === 'from' ? 'to' : 'from';
  const across = (place: Place | undefined): number => (isTall ? place?.x : place?.y) ?? 0;
  const sharing = edges
    .filter((each) => each[end] === edge[end])
    .toSorted((one, two) => across(places.get(one[other])) - across(places.get(two[other])));
  return (sharing.indexOf(edge) - (sharing.length - 1) / 2) * LINES_APART;
}

function labelOf(edge: ShownEdge): string {
  if (edge.requests === undefined) return 'no answer';
  if (isShutOut(edge)) return `${count(edge.denied)} denied`;
  return (edge.requestsPerSecond ?? 0) === 0 ? '' : `${rate(edge.requestsPerSecond)}/s`;
}

interface NodeBoxProps {
  readonly node: ShownNode;
  readonly place: Place | undefined;
  readonly shape: Shape;
}

function NodeBox({ node, place, shape }: NodeBoxProps): JSX.Element | null {
  if (place === undefined) return null;
  const { nodeWidth, nodeHeight } = shape;
  const isDown = node.isReady === false;
  const says = { gateway: 'gateway', node: 'in the mesh', external: 'not of the mesh', outside: 'callers' }[
    node.kind
  ];
  return h(
    'g',
    { class: `node ${node.kind}${isDown ? ' down' : ''}`, transform: `translate(${place.x} ${place.y})` },
    h('rect', { width: nodeWidth, height: nodeHeight, rx: 10 }),
    h('text', { class: 'name', x: nodeWidth / 2, y: 22, 'text-anchor': 'middle' }, node.name),
    h(
      'text',
      { class: 'kind', x: nodeWidth / 2, y: 39, 'text-anchor': 'middle' },
      isDown ? 'not ready' : says,
    ),
  );
}
