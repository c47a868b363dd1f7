import { Settings } from '../../sample-apps/environment.ts';

export interface ProcessorConfig {
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly port: number;
}

const FILE_RULE = { pattern: /^.+$/, expected: 'the path of a PEM file' };

/** @throws {TokenmeshError} `ERR_SETTINGS_INVALID` with every problem. */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): ProcessorConfig {
  const settings = new Settings(environment);
  const config = {
    certificateFile: settings.text('PROCESSOR_CERTIFICATE', FILE_RULE),
    keyFile: settings.text('PROCESSOR_KEY', FILE_RULE),
    port: settings.integer('PROCESSOR_PORT', { min: 0, max: 65_535 }),
  };
  settings.check();
  return config;
}
