import { createServer, type Server } from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import {
  countedIn,
  figuresOf,
  metricLine,
  METRIC_NAMESPACE,
  printMetricLines,
} from '../../../sidecar/envoy/metric-lines.ts';

const standing = { rotationsUnserved: 0, revocationProblems: 0 };
const before = { handshakes: 3, withoutCertificate: 0, refusedHandshakes: 1, refusedRequests: 0 };

describe('what Envoy counts, as metrics', () => {
  it('is what came since the last look, and how things stand', () => {
    const stats = new Map([
      ['listener.inbound.ssl.handshake', 10],
      ['listener.inbound.ssl.no_certificate', 0],
      ['listener.inbound.ssl.fail_verify_no_cert', 2],
      ['listener.inbound.ssl.fail_verify_san', 1],
      ['listener.inbound.ssl.connection_error', 1],
      ['listener.inbound.ssl.versions.TLSv1.3', 10],
      ['http.inbound.rbac.denied', 4],
      ['http.inbound.rbac.revoked.denied', 1],
      ['server.days_until_first_cert_expiring', 394],
    ]);
    expect(figuresOf(countedIn(stats), before, { rotationsUnserved: 1, revocationProblems: 2 })).toEqual({
      Handshakes: 7,
      HandshakesWithoutCertificate: 0,
      HandshakesRefused: 3,
      RequestsRefused: 5,
      DaysLeft: 394,
      RotationsUnserved: 1,
      RevocationProblems: 2,
    });
  });

  it('has no days left where Envoy has no certificate yet', () => {
    const stats = new Map([['server.days_until_first_cert_expiring', 2 ** 32 - 1]]);
    expect(figuresOf(countedIn(stats), before, standing)).not.toHaveProperty('DaysLeft');
  });

  it('is a line that CloudWatch reads metrics from', () => {
    const line = JSON.parse(metricLine('tokenmesh', 'order', new Date(1_000), { Handshakes: 7 })) as object;
    expect(line).toEqual({
      _aws: {
        Timestamp: 1_000,
        CloudWatchMetrics: [
          {
            Namespace: METRIC_NAMESPACE,
            Dimensions: [['Mesh', 'Node']],
            Metrics: [{ Name: 'Handshakes', Unit: 'Count' }],
          },
        ],
      },
      Mesh: 'tokenmesh',
      Node: 'order',
      Handshakes: 7,
    });
  });

  describe('read from an admin interface', () => {
    const directory = mkdtempSync(join(tmpdir(), 'tokenmesh-metrics-'));
    const socket = join(directory, 'admin.sock');
    let server: Server | undefined;
    afterAll(() => {
      server?.close();
      rmSync(directory, { recursive: true, force: true });
    });

    async function linesWith(answers: readonly (number | 'none')[]): Promise<number[]> {
      const stopping = new AbortController();
      const lines: string[] = [];
      let asked = 0;
      server?.close();
      rmSync(socket, { force: true });
      server = createServer((_request, response) => {
        const answer = answers[asked++];
        if (answer === 'none') response.destroy();
        else
          response.end(
            JSON.stringify({ stats: [{ name: 'listener.inbound.ssl.handshake', value: answer }] }),
          );
      });
      await new Promise<void>((resolve) => server?.listen(socket, resolve));
      await printMetricLines({
        mesh: 'tokenmesh',
        node: 'order',
        admin: { socket },
        standing: () => standing,
        clock: () => new Date(),
        print(line) {
          lines.push(line);
          if (lines.length === answers.length) stopping.abort();
        },
        sleep: async () => undefined,
        stopping: stopping.signal,
      });
      return lines.map((line) => (JSON.parse(line) as { Handshakes: number }).Handshakes);
    }

    it('adds up to what Envoy counted, and to nothing while it does not answer', async () => {
      expect(await linesWith([5, 7, 'none', 12])).toEqual([5, 2, 0, 5]);
    });
  });
});
