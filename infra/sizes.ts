/** How many tasks of a node there are, and how large each is. CPU in units of 1/1024 vCPU, memory in MiB. */
export interface TaskSize {
  readonly tasksAtLeast: number;
  readonly tasksAtMost: number;
  readonly cpu: number;
  readonly memoryMiB: number;
}

export type SizeName = 'small' | 'medium' | 'large';

interface Size {
  /** Of every node but the tokenizer. */
  readonly node: TaskSize;
  readonly tokenizer: TaskSize;
}

/** Two of each at least: in two zones, and one left while the other is replaced. */
export const SIZES: Readonly<Record<SizeName, Size>> = {
  small: {
    node: { tasksAtLeast: 2, tasksAtMost: 4, cpu: 256, memoryMiB: 1024 },
    tokenizer: { tasksAtLeast: 2, tasksAtMost: 4, cpu: 512, memoryMiB: 1024 },
  },
  medium: {
    node: { tasksAtLeast: 3, tasksAtMost: 12, cpu: 512, memoryMiB: 1024 },
    tokenizer: { tasksAtLeast: 3, tasksAtMost: 12, cpu: 1024, memoryMiB: 2048 },
  },
  large: {
    node: { tasksAtLeast: 6, tasksAtMost: 40, cpu: 1024, memoryMiB: 2048 },
    tokenizer: { tasksAtLeast: 6, tasksAtMost: 40, cpu: 2048, memoryMiB: 4096 },
  },
};

/** Of the database of the orders. On Graviton, as the tasks. */
export const DATABASE_CLASSES: Readonly<Record<SizeName, string>> = {
  small: 'db.t4g.medium',
  medium: 'db.m7g.large',
  large: 'db.r7g.4xlarge',
};

/** Events of one queue that the function takes at once: one for each task of the tokenizer that is always there. */
export function bulkConcurrency(size: SizeName): number {
  return SIZES[size].tokenizer.tasksAtLeast;
}

export function taskSize(size: SizeName, nodeName: string): TaskSize {
  return nodeName === 'tokenizer' ? SIZES[size].tokenizer : SIZES[size].node;
}
