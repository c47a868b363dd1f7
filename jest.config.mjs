/**
 * Two projects: `unit` needs no network and no process of its own; `envoy` runs
 * real Envoys and the emulated AWS, one suite at a time, since there are two cores.
 */
const shared = {
  rootDir: import.meta.dirname,
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': '<rootDir>/test/support/strip-types.mjs' },
  modulePathIgnorePatterns: ['<rootDir>/.tokenmesh', '<rootDir>/cdk.out'],
};

export default {
  projects: [
    {
      ...shared,
      displayName: 'unit',
      testMatch: ['<rootDir>/test/**/*.test.ts'],
      testPathIgnorePatterns: ['\\.envoy\\.test\\.ts$'],
    },
    { ...shared, displayName: 'envoy', testMatch: ['<rootDir>/test/**/*.envoy.test.ts'] },
  ],
};
