/**
 * A function as one file that esbuild makes: nothing is installed where it runs.
 *
 * @module
 */

import { cpSync } from 'node:fs';
import { basename, join } from 'node:path';
import { AssetHashType, DockerImage } from 'aws-cdk-lib';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { buildSync, type BuildOptions } from 'esbuild';

export const PROJECT_ROOT = join(import.meta.dirname, '..', '..');

export interface Bundle {
  /** The file with the handler, relative to the root of the project. */
  readonly entry: string;
  /** What differs from the other functions. */
  readonly options?: Pick<BuildOptions, 'define' | 'mainFields' | 'target'>;
  /** What the function reads beside itself: a folder, relative to the root of the project. */
  readonly folder?: string;
}

/** In this process: what starts `cdk` may have npx set up so that it starts nothing else. */
export function bundled(bundle: Bundle): Code {
  return Code.fromAsset(PROJECT_ROOT, {
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      image: DockerImage.fromRegistry('none: esbuild does it'),
      // Runs nowhere: CDK takes two bundles for one where all of this is the same.
      command: ['esbuild', JSON.stringify(bundle)],
      local: {
        tryBundle(outputDirectory) {
          writeBundle(bundle, outputDirectory);
          return true;
        },
      },
    },
  });
}

export function writeBundle({ entry, options, folder }: Bundle, outputDirectory: string): void {
  buildSync({
    entryPoints: [join(PROJECT_ROOT, entry)],
    outfile: join(outputDirectory, 'index.mjs'),
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    sourcemap: true,
    logLevel: 'warning',
    // Some packages are CommonJS inside and ask for `require`.
    banner: { js: REQUIRE },
    ...options,
  });
  if (folder === undefined) return;
  cpSync(join(PROJECT_ROOT, folder), join(outputDirectory, basename(folder)), { recursive: true });
}

const REQUIRE =
  "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);";
