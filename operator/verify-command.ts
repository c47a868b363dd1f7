/**
 * `mesh verify`: once or again and again, as a table, JSON or JUnit.
 *
 * @module
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { TokenmeshError } from '../errors/error.ts';
import type { Mesh } from '../mesh/definition.ts';
import { emulatorClients, type AwsClients } from './aws-clients.ts';
import { CHECK_GROUPS, CHECK_IDS, groupOf, type CheckGroup, type CheckId } from './checks/catalogue.ts';
import { checksSummary, verificationReport } from './report.ts';
import type { RunState } from './run-state.ts';
import { verifyMesh, type Verification } from './verify.ts';
import { EXIT_NOT_HELD } from './exit-codes.ts';

const WATCH_SECONDS = 10;

interface VerifyOptions {
  readonly json?: true;
  readonly junit?: true;
  readonly only?: readonly string[];
  readonly watch?: true | number;
}

export interface VerifyCommandParts {
  readonly mesh: Mesh;
  readonly runningMesh: () => RunState;
  readonly print: (text: string) => void;
  readonly refreshIdentityFiles: (state: RunState, clients: AwsClients) => Promise<void>;
}

export function addVerifyCommand(program: Command, parts: VerifyCommandParts): void {
  program
    .command('verify')
    .description('prove every edge, refusal, certificate, right, key and clock, with connections of its own')
    .addOption(new Option('--json', 'print one JSON document').conflicts('junit'))
    .option('--junit', 'print a JUnit report')
    .option(
      '--only <names...>',
      `these groups or checks alone: ${CHECK_GROUPS.join(', ')}, or such as mtls.version`,
    )
    .option(
      '--watch [seconds]',
      `again and again, until Ctrl-C; every ${WATCH_SECONDS} s unless given`,
      secondsOf,
    )
    .action(async (options: VerifyOptions) => {
      const only = options.only === undefined ? undefined : idsNamed(options.only);
      const verify = async (): Promise<Verification> => {
        const state = parts.runningMesh();
        const clients = emulatorClients(state.aws.endpointUrl, state.aws.region);
        await parts.refreshIdentityFiles(state, clients);
        return await verifyMesh(parts.mesh, state, clients, only);
      };
      const show = async (verification: Verification): Promise<void> =>
        parts.print(await shown(verification, options));
      if (options.watch === undefined) {
        const verification = await verify();
        await show(verification);
        if (!verification.ok) process.exitCode = EXIT_NOT_HELD;
      } else {
        await watch(verify, options.watch === true ? WATCH_SECONDS : options.watch, { ...parts, show });
      }
    });
}

/** What writes XML is loaded only for those who ask for it. */
async function shown(verification: Verification, { json, junit }: VerifyOptions): Promise<string> {
  if (junit === true) return (await import('./junit.ts')).junitReport(verification);
  return json === true ? JSON.stringify(verification, null, 2) : verificationReport(verification);
}

/** What a group or an id stands for. @throws {TokenmeshError} `ERR_CHECK_UNKNOWN` */
export function idsNamed(names: readonly string[]): ReadonlySet<CheckId> {
  const given = names.flatMap((name) => name.split(',')).filter((name) => name !== '');
  const wrong = given.filter(
    (name) => !CHECK_GROUPS.includes(name as CheckGroup) && !CHECK_IDS.includes(name as CheckId),
  );
  if (wrong.length === 0 && given.length > 0)
    return new Set(CHECK_IDS.filter((id) => given.includes(id) || given.includes(groupOf(id))));
  throw new TokenmeshError({
    code: 'ERR_CHECK_UNKNOWN',
    message: `no check is meant by ${wrong.length === 0 ? 'an empty name' : wrong.join(', ')}: expected a group (${CHECK_GROUPS.join(', ')}) or the id of a check`,
    remedy: 'see docs/checks.md for the ids',
  });
}

function secondsOf(text: string): number {
  const seconds = Number(text);
  if (seconds >= 1 && seconds <= 86_400) return seconds;
  throw new InvalidArgumentError('expected 1 to 86400 seconds');
}

interface Watching {
  readonly show: (verification: Verification) => Promise<void>;
  readonly print: (text: string) => void;
}

/** Shows all of it where the outcome of any check changed, else one line. Ctrl-C ends it as any command. */
async function watch(
  verify: () => Promise<Verification>,
  seconds: number,
  { show, print }: Watching,
): Promise<void> {
  let before: string | undefined;
  for (;;) {
    const verification = await verify();
    const now = verification.checks
      .map(({ id, subject, outcome }) => `${id} ${subject} ${outcome}`)
      .join('\n');
    if (now !== before) await show(verification);
    else print(`${verification.at}  ${checksSummary(verification.checks)}`);
    before = now;
    await sleep(seconds * 1000);
  }
}
