import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { tokenizationMesh } from '../../mesh/tokenization-mesh.ts';
import { addPolicyCommand } from '../../operator/policy.ts';
import type { Simulation } from '../../operator/policy-simulation.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tokenmesh-policies-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

/** Runs the verb in this process, with the shipped mesh. */
async function run(...argumentsGiven: string[]): Promise<{ code: number; out: string; err: string }> {
  const out: string[] = [];
  const err: string[] = [];
  const errors = jest.spyOn(process.stderr, 'write').mockImplementation((text) => err.push(String(text)) > 0);
  const before = process.exitCode;
  process.exitCode = 0;
  const program = new Command('mesh').exitOverride();
  addPolicyCommand(program, tokenizationMesh, (text) => out.push(text));
  try {
    await program.parseAsync(['policy', ...argumentsGiven], { from: 'user' });
    return { code: process.exitCode, out: out.join('\n'), err: err.join('') };
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return { code: 2, out: out.join('\n'), err: err.join('') };
  } finally {
    process.exitCode = before;
    errors.mockRestore();
  }
}

async function simulated(...argumentsGiven: string[]): Promise<Simulation & { code: number }> {
  const { code, out } = await run('test', ...argumentsGiven, '--json');
  return { ...(JSON.parse(out) as Simulation), code };
}

describe('policy test', () => {
  it('says what is permitted, in which form, and which policies decided it', async () => {
    expect(await simulated('paybill', 'detokenize', '--class', 'pan')).toEqual({
      code: 0,
      identity: 'paybill.tokenmesh.internal',
      operation: 'detokenize',
      class: 'pan',
      tenant: 'shop',
      purpose: 'payment',
      permitted: true,
      decidedBy: 'policy',
      reason: 'a policy permits it, and none forbids it',
      policyIds: ['mesh.paybill.reveal-plain'],
      form: 'plain',
    });
  });

  it.each([
    ['paybill detokenize --class pan --purpose curiosity', 0, 'masked', ['mesh.paybill.reveal-masked']],
    ['paybill detokenize --class address', 0, 'plain', ['mesh.paybill.reveal-plain']],
    ['paybill detokenize --class address --purpose curiosity', 1, 'redacted', ['addresses.payment-only']],
    ['paybill reveal-plain --class pan --purpose curiosity', 1, 'redacted', []],
    ['paybill reveal-masked --class pan', 0, 'masked', ['mesh.paybill.reveal-masked']],
    ['paybill detokenize --class text', 1, 'redacted', []],
    ['paybill.tokenmesh.internal detokenize --class pan', 0, 'plain', ['mesh.paybill.reveal-plain']],
    ['order tokenize --class text', 0, undefined, ['mesh.order.tokenize']],
    ['order delete --class pan', 0, undefined, ['mesh.order.delete']],
    ['bulk tokenize --class pan', 0, undefined, ['mesh.bulk.tokenize']],
  ])('answers %s with exit code %i, %s, by %j', async (line, code, form, policyIds) => {
    const simulation = await simulated(...line.split(' '));
    expect([simulation.code, simulation.form, simulation.policyIds]).toEqual([code, form, policyIds]);
    expect([simulation.permitted, simulation.decidedBy]).toEqual([code === 0, 'policy']);
  });

  it.each([
    ['stranger detokenize --class pan', 'the identity is not of this mesh'],
    ['order detokenize --class pan', 'Envoy does not let order call POST /v1/detokenize'],
    ['paybill tokenize --class pan', 'Envoy does not let paybill call POST /v1/tokens'],
    ['bulk detokenize --class pan', 'Envoy does not let bulk call POST /v1/detokenize'],
    ['outsider read-metadata --class pan', 'Envoy does not let outsider call GET /v1/tokens/{token}'],
    ['order tokenize --class pan --tenant bank', 'the tenant is not one of order: expected shop'],
  ])('tells that the mesh denies %s, whatever the policies say', async (line, reason) => {
    await writeFile(join(directory, 'a.cedar'), '@id("all")\npermit (principal, action, resource);');
    const simulation = await simulated(...line.split(' '), '--policies', directory);
    expect(simulation).toMatchObject({ code: 1, permitted: false, decidedBy: 'mesh', policyIds: [], reason });
  });

  it('prints the same for a person', async () => {
    const denied = await run('test', 'paybill', 'detokenize', '--class', 'text');
    expect(denied.out.split('\n')).toEqual([
      'DENIED  paybill.tokenmesh.internal detokenize text',
      '  tenant   shop',
      '  purpose  payment',
      '  form     redacted',
      '  because  no policy permits it',
      '  by       default: denied',
    ]);
    const permitted = await run('test', 'order', 'tokenize', '--class', 'pan');
    expect(permitted.out).toContain('PERMITTED  order.tokenmesh.internal tokenize pan');
    expect(permitted.out).toContain('by       mesh.order.tokenize');
  });

  it.each([
    ['no class', 'paybill detokenize'],
    ['a class that there is not', 'paybill detokenize --class shoe'],
    ['an operation that there is not', 'paybill shred --class pan'],
    ['no operation', 'paybill --class pan'],
  ])('refuses %s with exit code 2', async (_, line) => {
    expect(await run('test', ...line.split(' '))).toMatchObject({ code: 2, out: '' });
  });

  it('decides nothing by policies that are not valid', async () => {
    await writeFile(join(directory, 'a.cedar'), 'permit (everything);');
    const { code, out, err } = await run(
      'test',
      'order',
      'tokenize',
      '--class',
      'pan',
      '--policies',
      directory,
    );
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain('a.cedar:1: ');
  });

  it('looks where the service would look', async () => {
    await writeFile(join(directory, 'a.cedar'), '@id("none")\nforbid (principal, action, resource);');
    process.env['TOKENMESH_POLICIES_DIRECTORY'] = directory;
    try {
      const { code, policyIds } = await simulated('order', 'tokenize', '--class', 'pan');
      expect([code, policyIds]).toEqual([1, ['none']]);
    } finally {
      delete process.env['TOKENMESH_POLICIES_DIRECTORY'];
    }
  });
});

describe('policy check', () => {
  it('lists the policies of the shipped files and of the mesh', async () => {
    const { code, out } = await run('check');
    expect([code, out]).toEqual([0, expect.stringMatching(/2 files are valid, revision [0-9a-f]{12}/)]);
    expect(out).toContain('addresses.payment-only');
    expect(out).toContain('mesh.paybill.reveal-plain');
  });

  it('refuses a folder with a file that is not valid, and one that is not there', async () => {
    await writeFile(join(directory, 'a.cedar'), '');
    await expect(run('check', directory)).rejects.toMatchObject({ code: 'ERR_POLICY_INVALID' });
    await expect(run('check', join(directory, 'none'))).rejects.toMatchObject({
      code: 'ERR_POLICY_DIRECTORY',
    });
  });
});
