import { describe, expect, it } from '@jest/globals';
import { isAsShown, runSession, sessionsIn } from '../support/console-session.ts';

const PAGE = `
\`\`\`console
$ printf 'first 12 ms\\nbetween\\nlast\\n'
first 40 ms
...
last
$ name=value; \\
  false
$ echo "$? $name"
1 value
\`\`\`
`;

async function held(page: string): Promise<readonly boolean[]> {
  const run = await runSession(sessionsIn(page), { cwd: '.', environment: {} });
  return run.map(isAsShown);
}

function page(command: string, ...shown: string[]): string {
  return ['```console', `$ ${command}`, ...shown, '```', ''].join('\n');
}

describe('a session that a page shows', () => {
  it('is run in one shell, over lines that go on, with the exit code of each', async () => {
    const run = await runSession(sessionsIn(PAGE), { cwd: '.', environment: {} });
    expect(run.map(({ code }) => code)).toEqual([0, 1, 0]);
    expect(run.map(isAsShown)).toEqual([true, true, true]);
  });

  it.each([
    ['another word', 'echo served', 'revoked'],
    ['a line more', 'printf "one\\ntwo\\n"', 'one'],
    ['a line less', 'echo one', 'one', 'two'],
    ['another order', 'printf "two\\none\\n"', 'one', 'two'],
    ['a word where a count is', 'echo none left', '12 left'],
    ['fewer than all', 'echo 3 of 4 held', '176 of 176 held'],
    ['what is no token', 'echo tkn_short', 'tkn_bfqgfrkqsrtqnqsbgrjprbcdqddnltbmgmsfnkkc'],
  ])('is not as shown: %s', async (_, command, ...shown) => {
    expect(await held(page(command, ...shown))).toEqual([false]);
  });

  it('is as shown, whatever its counts, times and identifiers are', async () => {
    expect(
      await held(
        page(
          'echo "order: d3baf827... at 2026-11-25T16:00:00.000Z, 3 of 3,   7.5 ms"',
          'order: 9893e5fc... at 2026-01-01T00:00:00.123Z, 176 of 176, 12 ms',
        ),
      ),
    ).toEqual([true]);
  });
});
