/**
 * What a Dockerfile says of an image: read, not built.
 *
 * @module
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DockerfileParser, type Copy, type From, type Instruction } from 'dockerfile-ast';

export const PROJECT_ROOT = join(import.meta.dirname, '..', '..');

export interface CopiedPaths {
  /** The stage or image that it is taken from; the project's own folder without one. */
  readonly from?: string;
  readonly owner?: string;
  readonly sources: readonly string[];
  readonly target: string;
}

export interface Image {
  readonly name: string;
  /** What its stages stand on or take from, outside of this Dockerfile. */
  readonly baseImages: readonly string[];
  /** The image that the last stage stands on. */
  readonly base: string;
  readonly copies: readonly CopiedPaths[];
  readonly user: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly volumes: readonly string[];
  readonly entrypoint: readonly string[];
  readonly healthcheck: readonly string[];
  /** Instructions of the last stage and of those that it stands on, by keyword. */
  readonly keywords: ReadonlySet<string>;
}

/** @param buildArguments - As `--build-arg` gives them, over the defaults of the Dockerfile. */
export function readImage(
  name: string,
  dockerfile: string,
  buildArguments: Readonly<Record<string, string>> = {},
): Image {
  const parsed = DockerfileParser.parse(readFileSync(join(PROJECT_ROOT, dockerfile), 'utf8'));
  const stages = stagesOf(parsed.getInstructions());
  const defaults = Object.fromEntries(
    parsed.getInitialARGs().map((each) => {
      const { name: key = '', value = '' } = asPair(each.getArgumentsContent() ?? '');
      return [key, value];
    }),
  );
  const named = (text: string): string =>
    text.replaceAll(/\$\{(\w+)\}/g, (_, key: string) => buildArguments[key] ?? defaults[key] ?? '');
  const stageNamed = (stage: string): Stage | undefined => stages.find((each) => each.alias === stage);
  const chain: Stage[] = [];
  for (let stage = stages.at(-1); stage !== undefined; stage = stageNamed(named(stage.image))) {
    chain.unshift(stage);
  }
  const instructions = chain.flatMap((stage) => stage.instructions);
  const last = (keyword: string): Instruction | undefined =>
    instructions.findLast((each) => each.getKeyword() === keyword);
  const command = (keyword: string): string[] => jsonOf(last(keyword));
  return {
    name,
    baseImages: stages.map((stage) => named(stage.image)).filter((each) => stageNamed(each) === undefined),
    base: named(chain[0]?.image ?? ''),
    copies: instructions.filter((each) => each.getKeyword() === 'COPY').map(copiedBy),
    user: last('USER')?.getArgumentsContent() ?? 'root',
    environment: Object.fromEntries(
      instructions
        .filter((each) => each.getKeyword() === 'ENV')
        .flatMap((each) => each.getArguments().map((argument) => asPair(argument.getValue())))
        .map(({ name: key = '', value = '' }) => [key, value]),
    ),
    volumes: command('VOLUME'),
    entrypoint: command('ENTRYPOINT'),
    healthcheck: command('HEALTHCHECK'),
    keywords: new Set(instructions.map((each) => each.getKeyword())),
  };
}

interface Stage {
  readonly image: string;
  readonly alias?: string;
  readonly instructions: readonly Instruction[];
}

function stagesOf(instructions: readonly Instruction[]): Stage[] {
  const starts = instructions.flatMap((each, index) => (each.getKeyword() === 'FROM' ? [index] : []));
  return starts.map((start, stage) => {
    const from = instructions[start] as From;
    const alias = from.getBuildStage();
    return {
      image: from.getImage() ?? '',
      ...(alias === null ? {} : { alias }),
      instructions: instructions.slice(start + 1, starts[stage + 1]),
    };
  });
}

function asPair(text: string): { name?: string; value?: string } {
  const [, name, value] = /^(\w+)=(.*)$/s.exec(text) ?? [];
  return { name, value };
}

/** The exec form; the shell form has no such array, and is nothing that an image without a shell could run. */
function jsonOf(instruction: Instruction | undefined): string[] {
  const [, json = '[]'] = /(\[.*\])\s*$/s.exec(instruction?.getArgumentsContent() ?? '') ?? [];
  return JSON.parse(json) as string[];
}

function copiedBy(instruction: Instruction): CopiedPaths {
  const copy = instruction as Copy;
  const flags = Object.fromEntries(copy.getFlags().map((flag) => [flag.getName(), flag.getValue() ?? '']));
  const paths = copy.getArguments().map((argument) => argument.getValue());
  return {
    ...(flags['from'] === undefined ? {} : { from: flags['from'] }),
    ...(flags['chown'] === undefined ? {} : { owner: flags['chown'] }),
    sources: paths.slice(0, -1),
    target: paths.at(-1) ?? '',
  };
}
