import type { RunState } from '../../operator/run-state.ts';

/** What a scene plays on: a mesh that is running. */
export interface Stage {
  readonly state: RunState;
  /** For commands that the scene starts. */
  readonly stateFile: string;
  readonly say: (line: string) => void;
}

/** A story that proves something: it does harm on purpose, and tells what came of it. */
export interface Scene {
  readonly title: string;
  /** @returns Whether it ended as it has to. */
  play(stage: Stage): Promise<boolean>;
}
