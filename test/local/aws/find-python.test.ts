import { describe, expect, it } from '@jest/globals';
import { findPython, type ProbePython, type Python } from '../../../local/aws/find-python.ts';

type Installed = Readonly<Record<string, Python>>;

function python(executable: string, minor: number, hasVenv = true): Python {
  return { executable, version: [3, minor, 4], hasVenv };
}

function probeOf(installed: Installed, asked: string[] = []): ProbePython {
  return async (command) => {
    asked.push(command);
    return installed[command];
  };
}

describe('the Python that is used', () => {
  it('is python3 where that is new enough, and no other is asked', async () => {
    const asked: string[] = [];
    const found = await findPython({}, probeOf({ python3: python('/usr/bin/python3', 10) }, asked));
    expect(found.executable).toBe('/usr/bin/python3');
    expect(asked).toEqual(['python3']);
  });

  it('is the newest with a version in its name where python3 is too old', async () => {
    const installed = {
      python3: python('/usr/bin/python3', 9),
      'python3.12': python('/opt/python3.12', 12),
      'python3.10': python('/opt/python3.10', 10),
    };
    expect((await findPython({}, probeOf(installed))).executable).toBe('/opt/python3.12');
  });

  it('is the one that PYTHON names, before any other', async () => {
    const installed = { python3: python('/usr/bin/python3', 13), '/own/python': python('/own/python', 11) };
    expect((await findPython({ PYTHON: '/own/python' }, probeOf(installed))).executable).toBe('/own/python');
  });

  it('is one that can make an environment, before one that cannot', async () => {
    const installed = {
      python3: python('/usr/bin/python3', 12, false),
      'python3.11': python('/opt/python3.11', 11),
    };
    expect((await findPython({}, probeOf(installed))).executable).toBe('/opt/python3.11');
  });

  it('is any newer major version too', async () => {
    const installed = { python3: { executable: '/py4', version: [4, 0, 0], hasVenv: true } } as const;
    expect((await findPython({}, probeOf(installed))).executable).toBe('/py4');
  });
});

describe('no Python that will do', () => {
  it('refuses a machine without one, and says how to name one', async () => {
    await expect(findPython({}, probeOf({}))).rejects.toMatchObject({
      code: 'ERR_PYTHON_MISSING',
      message: expect.stringContaining('got none'),
      remedy: expect.stringContaining('PYTHON='),
    });
  });

  it('refuses one that is too old, and says its version', async () => {
    await expect(findPython({}, probeOf({ python3: python('/usr/bin/python3', 9) }))).rejects.toMatchObject({
      code: 'ERR_PYTHON_MISSING',
      message: expect.stringContaining('python3 3.9.4'),
    });
  });

  it('refuses a wrong PYTHON rather than take another', async () => {
    const installed = { python3: python('/usr/bin/python3', 12) };
    await expect(findPython({ PYTHON: '/no/python' }, probeOf(installed))).rejects.toMatchObject({
      code: 'ERR_PYTHON_MISSING',
      message: expect.stringContaining('/no/python'),
    });
  });

  it('refuses one without venv, and names the package that brings it', async () => {
    const installed = { python3: python('/usr/bin/python3', 11, false) };
    await expect(findPython({}, probeOf(installed))).rejects.toMatchObject({
      code: 'ERR_PYTHON_VENV_MISSING',
      remedy: expect.stringContaining('python3.11-venv'),
    });
  });
});
