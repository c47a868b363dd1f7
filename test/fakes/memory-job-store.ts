import { StoreUnavailableError } from '../../sidecar/tokenizer/core/errors.ts';
import type { JobStore } from '../../sidecar/tokenizer/core/jobs.ts';

interface Claim {
  holder: string;
  until: Date;
  progress?: string;
}

/** Claims in memory. */
export class MemoryJobStore implements JobStore {
  readonly claims = new Map<string, Claim>();
  isDown = false;

  async claim(
    job: string,
    holder: string,
    now: Date,
    until: Date,
  ): Promise<{ readonly progress?: string } | 'busy'> {
    if (this.isDown) throw new StoreUnavailableError();
    const found = this.claims.get(job);
    if (found !== undefined && found.holder !== holder && found.until > now) return 'busy';
    const progress = found?.progress === undefined ? {} : { progress: found.progress };
    this.claims.set(job, { holder, until, ...progress });
    return progress;
  }

  async save(job: string, holder: string, until: Date, progress: string): Promise<'saved' | 'lost'> {
    if (this.isDown) throw new StoreUnavailableError();
    const found = this.claims.get(job);
    if (found?.holder !== holder) return 'lost';
    this.claims.set(job, { holder, until, progress });
    return 'saved';
  }
}
