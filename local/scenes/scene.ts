import type { RunState } from '../../operator/run-state.ts';
import type { OwnMesh } from './own-mesh.ts';

export type Say = (line: string) => void;

/** What a scene plays on: a mesh that is running. */
export interface Stage {
  readonly state: RunState;
  /** For commands that the scene starts. */
  readonly stateFile: string;
  readonly say: Say;
}

/** A story that proves something: it does harm on purpose, and tells what came of it. */
export interface Scene {
  readonly title: string;
  /** @returns Whether it ended as it has to. */
  play(stage: Stage): Promise<boolean>;
}

/** One that breaks what others work with, so that it has a mesh of its own, which it may share with others like it. */
export interface FaultScene {
  readonly title: string;
  /** @returns Whether everything held. */
  play(mesh: OwnMesh, say: Say, options: FaultOptions): Promise<boolean>;
}

export interface FaultOptions {
  /** How often, where harm is done again and again. */
  readonly count: number;
  /** Of the random choices. */
  readonly seed: number;
}
