/**
 * docs/cli.md, made from the programs that read the commands.
 *
 * @module
 */

import type { Command } from 'commander';
import { EXIT_CODES, WRONG_USE } from '../../operator/exit-codes.ts';

const HEAD = `# Commands

Made from the programs that read them; a test holds that it is current (\`UPDATE_GOLDENS=1 npm run test:unit\` writes it again). Each takes \`--help\`;
so do \`npm run scene --\`, \`npm run bench --\` and \`npm test --\`.
How to do what: [README.md](README.md#how-to).
`;

export function cliPage(start: Command, program: Command): string {
  return [
    HEAD,
    `## npm start --\n${start.description()}\n`,
    ...table(start),
    '## npm run mesh --',
    `${program.description()} As a package it is \`tokenmesh\`. With \`npm run -s mesh\` nothing but its own output is printed.\n`,
    exitCodes(),
    ...sorted(program.commands).flatMap(commandsUnder).map(section),
  ].join('\n');
}

function exitCodes(): string {
  const rows = Object.entries(EXIT_CODES).map(([code, meaning]) => `| ${code} | ${meaning} |`);
  const codes = [...WRONG_USE].toSorted().map((code) => `\`${code}\``);
  return [
    '| exit code | says |',
    '|---|---|',
    ...rows,
    '',
    `Wrong use is what a command's own line makes wrong, and these [errors](errors.md): ${codes.join(', ')}.`,
    '',
  ].join('\n');
}

/** A command, or where it has further ones those. */
function commandsUnder(command: Command): Command[] {
  return command.commands.length === 0
    ? [command]
    : [command, ...sorted(command.commands).flatMap(commandsUnder)];
}

function sorted(commands: readonly Command[]): Command[] {
  return commands.toSorted((one, other) => one.name().localeCompare(other.name(), 'en'));
}

function nameOf(command: Command): string {
  const above = command.parent;
  return above === null || above.parent === null ? command.name() : `${nameOf(above)} ${command.name()}`;
}

function section(command: Command): string {
  return [`### ${nameOf(command)}`, `${sentence(command.description())}\n`, ...table(command)].join('\n');
}

function table(command: Command): string[] {
  const help = command.createHelp();
  const rows = [
    ...help.visibleArguments(command).map((each) => [argumentName(each), help.argumentDescription(each)]),
    ...help
      .visibleOptions(command)
      .filter(({ long }) => long !== '--help')
      .map((each) => [help.optionTerm(each), help.optionDescription(each)]),
  ].map(([term = '', description = '']) => `| \`${term}\` | ${cell(description)} |`);
  return rows.length === 0 ? [] : ['| argument, option | what |', '|---|---|', ...rows, ''];
}

function argumentName(argument: {
  name(): string;
  readonly required: boolean;
  readonly variadic: boolean;
}): string {
  const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
  return argument.required ? `<${name}>` : `[${name}]`;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/** Angle brackets in prose would be taken for HTML. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/<([a-z-]+)>/g, '`<$1>`');
}
