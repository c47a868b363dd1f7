import { ContainerImage } from 'aws-cdk-lib/aws-ecs';
import { Platform } from 'aws-cdk-lib/aws-ecr-assets';
import type { Program } from '../../sidecar/node-programs.ts';
import { PROJECT_ROOT } from './bundle.ts';

/** Where an image has Node and the project. */
const NODE = '/usr/local/bin/node';
const ROOT = '/app';

const SIDECAR_FILE = 'sidecar/envoy/Dockerfile';
const APP_FILE = 'sidecar/app.Dockerfile';

/** `.dockerignore` leaves Dockerfiles out of the images; to build one they are needed beside. */
const WITH_DOCKERFILES = [`!${SIDECAR_FILE}`, `!${APP_FILE}`];

export function sidecarImage(): ContainerImage {
  return ContainerImage.fromAsset(PROJECT_ROOT, {
    file: SIDECAR_FILE,
    exclude: WITH_DOCKERFILES,
    platform: Platform.LINUX_ARM64,
  });
}

export function appImage(nodeName: string): ContainerImage {
  return ContainerImage.fromAsset(PROJECT_ROOT, {
    file: APP_FILE,
    buildArgs: { APP: nodeName },
    exclude: WITH_DOCKERFILES,
    platform: Platform.LINUX_ARM64,
  });
}

/** As a run on one machine starts the same program. */
export function entryPointOf({ script, flags }: Program): string[] {
  return [NODE, ...flags, `${ROOT}/${script}`];
}

/** The images have no shell: the check is a program too. */
export function healthCommand(script: string): string[] {
  return ['CMD', NODE, `${ROOT}/${script}`];
}
