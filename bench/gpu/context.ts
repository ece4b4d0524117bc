// What every measurement on a GPU is given.
import type { GpuName } from 'secondorder';

export interface GpuContext {
  device: GpuName;
  /** Tiny problems: to see that everything works, not to quote. */
  quick: boolean;
  /** Threads of the CPU beside the GPU: all that there are. */
  threads: number;
  /** Numbers of CPU threads to compare with. */
  cpuThreads: number[];
  /** Folder of the public data sets, where there is one. */
  data: string | undefined;
  /** Tells the person who waits. */
  log(line: string): void;
}
