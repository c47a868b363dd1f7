import { describe, expect, it } from '@jest/globals';
import {
  certificateSourceOf,
  hasShortLived,
  LOCAL_LIFE,
  renderSource,
} from '../../mesh/certificate-source.ts';
import type { CertificateSourceChoice, Mesh } from '../../mesh/definition.ts';
import { tokenizationMesh } from '../../mesh/tokenization-mesh.ts';
import { validateMesh } from '../../mesh/validate.ts';
import { withNode } from '../support/meshes.ts';

const DAY_SECONDS = 86_400;

function withSource(certificateSource: unknown): Mesh {
  return withNode('order', (node) => ({
    ...node,
    certificateSource: certificateSource as CertificateSourceChoice,
  }));
}

const shortLived = (lifeSeconds: number, tasksAtMost = 1_000): Mesh =>
  withSource({ kind: 'short-lived', lifeSeconds, tasksAtMost });

const problemsOf = (mesh: Mesh): string[] => validateMesh(mesh).map((each) => each.path);

describe('the source of a node’s certificates', () => {
  it('is export from ACM where nothing is said, and for every gateway', () => {
    expect(certificateSourceOf(tokenizationMesh, 'order')).toEqual({ kind: 'acm-export' });
    expect(certificateSourceOf(tokenizationMesh, 'gateway')).toEqual({ kind: 'acm-export' });
    expect(hasShortLived(tokenizationMesh)).toBe(false);
    expect(hasShortLived(shortLived(DAY_SECONDS))).toBe(true);
  });

  it.each([DAY_SECONDS, 7 * DAY_SECONDS])('may be short-lived for %p seconds', (lifeSeconds) => {
    expect(problemsOf(shortLived(lifeSeconds))).toEqual([]);
  });

  it.each([DAY_SECONDS - 1, 7 * DAY_SECONDS + 1, 100_000.5, Number.NaN])(
    'refuses a life of %p seconds',
    (lifeSeconds) => {
      expect(problemsOf(shortLived(lifeSeconds))).toEqual([
        'virtualNodes.order.certificateSource.lifeSeconds',
      ]);
    },
  );

  it('may live for seconds in a local run alone, and not for too few', () => {
    expect(validateMesh(shortLived(40), LOCAL_LIFE)).toEqual([]);
    expect(validateMesh(shortLived(14), LOCAL_LIFE)).toHaveLength(1);
    expect(problemsOf(shortLived(40))).toHaveLength(1);
  });

  it.each([0, 1.5, -1])('refuses %p tasks', (tasks) => {
    expect(problemsOf(shortLived(DAY_SECONDS, tasks))).toEqual([
      'virtualNodes.order.certificateSource.tasksAtMost',
    ]);
  });

  it('refuses a kind that there is not', () => {
    expect(problemsOf(withSource({ kind: 'spiffe' }))).toEqual(['virtualNodes.order.certificateSource.kind']);
  });
});

describe('a rendered source', () => {
  const authorities = { clients: 'arn:of-clients', servers: 'arn:of-servers' };

  it('has the CA of each role, the life, and the tasks of all nodes that share the quota', () => {
    const mesh = shortLived(DAY_SECONDS);
    const tokenizer = mesh.virtualNodes['tokenizer'];
    if (tokenizer === undefined) throw new Error('the shipped mesh has changed');
    const both: Mesh = {
      ...mesh,
      virtualNodes: {
        ...mesh.virtualNodes,
        tokenizer: {
          ...tokenizer,
          certificateSource: { kind: 'short-lived', lifeSeconds: 2 * DAY_SECONDS, tasksAtMost: 500 },
        },
      },
    };
    expect(renderSource(both, 'order', authorities)).toEqual({
      kind: 'short-lived',
      lifeSeconds: DAY_SECONDS,
      fleetTasks: 1_500,
      authorities: { client: 'arn:of-clients', server: 'arn:of-servers' },
    });
  });

  it('is export for a node that did not choose', () => {
    expect(renderSource(shortLived(DAY_SECONDS), 'paybill', authorities)).toEqual({ kind: 'acm-export' });
  });
});
