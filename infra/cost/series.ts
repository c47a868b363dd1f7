import { METRICS, type Metric } from '../../runtime/metrics/catalogue.ts';
import { VALUES_OF_A_LABEL } from './usage.ts';

/** What of a task definition says which metrics its sidecar writes. */
export interface SeriesSource {
  readonly Family: string;
  readonly ContainerDefinitions: readonly unknown[];
}

/** How many series CloudWatch has of a node: each is billed, however many tasks write it. */
export function seriesOfNode(task: SeriesSource): number {
  return METRICS.filter((metric) => metric.kind !== 'histogram' && isWritten(metric, task))
    .map(({ labels }) => labels.reduce((product, label) => product * (VALUES_OF_A_LABEL[label] ?? 1), 1))
    .reduce((total, each) => total + each, 0);
}

function isWritten({ source, nodes }: Metric, { Family, ContainerDefinitions }: SeriesSource): boolean {
  if (source === 'tokenizer') return Family.endsWith('-tokenizer');
  const isGateway = ContainerDefinitions.length === 1;
  switch (nodes) {
    case undefined:
      return true;
    case 'gateways':
      return isGateway;
    case 'short-lived':
      return JSON.stringify(ContainerDefinitions).includes('short-lived');
    case 'mutual':
      return !isGateway;
  }
}
