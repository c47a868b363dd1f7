/**
 * One mesh, or a whole mesh in each of several regions: one emulated AWS, whose regions share the rows of some tables
 * and nothing else.
 *
 * @module
 */

import { TokenmeshError } from '../../errors/error.ts';
import { changeRegions, readRegions } from '../../operator/regions/emulated-regions.ts';
import { clearDeadRun, placeOf, type RegionPlace } from '../../operator/run-state.ts';
import { regionCodeOf } from '../../sidecar/tokenizer/core/formats/region-codes.ts';
import { HOME_REGION, MeshRunner, type MeshRun, type MeshRunOptions } from '../mesh-run.ts';
import { serveControl } from './control.ts';

const REGIONS = [HOME_REGION, 'eu-west-1'] as const;

export type RegionCount = 1 | 2;

export interface StartedRuns {
  readonly first: MeshRun;
  /** Where there are two. */
  readonly other?: MeshRun;
}

/** What has been started so far; it can be stopped at any moment, and stopped twice. */
export class RegionalRuns {
  readonly #options: MeshRunOptions;
  readonly #first: MeshRunner;
  readonly #runners: MeshRunner[] = [];
  readonly #runs: MeshRun[] = [];
  readonly #failed = Promise.withResolvers<never>();
  readonly #places: readonly RegionPlace[];
  #stopControl: () => Promise<void> = async () => {};

  constructor(options: MeshRunOptions, count: RegionCount) {
    this.#options = options;
    this.#failed.promise.catch(() => {});
    const [home, ...others] = REGIONS.map((region) => placeIn(region, options.stateFile));
    this.#places = home === undefined || count === 1 ? [] : [home, ...others];
    // Before anything else is made: a second run of this folder ends here.
    this.#first = this.#add(this.#places[0]);
    for (const { stateFile } of others) clearDeadRun(stateFile);
  }

  /** Rejects when a process of a run ends by itself. Never resolves. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  async start(): Promise<StartedRuns> {
    const first = await this.#first.start();
    this.#runs.push(first);
    const [, place] = this.#places;
    if (place === undefined) return { first };
    const other = await this.#add(place).start();
    this.#runs.push(other);
    const { controlSocket = '' } = first.state.regions ?? {};
    this.#stopControl = await serveControl(controlSocket, this, this.#options.logger);
    return { first, other };
  }

  #add(place: RegionPlace | undefined): MeshRunner {
    const runner = new MeshRunner(place === undefined ? this.#options : this.#optionsOf(place));
    runner.failed.catch((error: unknown) => this.#failed.reject(error));
    this.#runners.push(runner);
    return runner;
  }

  #optionsOf({ region, stateFile }: RegionPlace): MeshRunOptions {
    const { stage, environment } = this.#options;
    const [first] = this.#runs;
    const here = { name: region, places: this.#places };
    const shared: MeshRunOptions = {
      ...this.#options,
      stateFile,
      region: here,
      stage: async (title, work) => await stage(`${region}: ${title}`, work),
    };
    if (first === undefined) return shared;
    const { aws, vaultKeyArn: keyArn, regions } = first.state;
    const control = regions === undefined ? {} : { controlSocket: regions.controlSocket };
    return {
      ...shared,
      ports: 'any',
      environment: { ...environment, AWS_ENDPOINT_URL: aws.endpointUrl },
      region: { ...here, ...control, replicaOf: { kms: first.aws.kms, keyArn } },
    };
  }

  async lose(region: string): Promise<void> {
    const { runner, endpointUrl, lost } = await this.#placed(region);
    if (lost.includes(region)) throw wrongState(region, 'lost already');
    await changeRegions(endpointUrl, { lost: [...lost, region] });
    await runner.lose();
  }

  async restore(region: string): Promise<void> {
    const { runner, endpointUrl, lost } = await this.#placed(region);
    if (!lost.includes(region)) throw wrongState(region, 'not lost');
    await changeRegions(endpointUrl, { lost: lost.filter((each) => each !== region) });
    await runner.restore();
  }

  async #placed(region: string) {
    const [first] = this.#runs;
    if (first === undefined) throw new Error('expected a run that was started');
    placeOf(first.state, region);
    const runner = this.#runners[this.#runs.findIndex(({ state }) => state.aws.region === region)];
    if (runner === undefined) throw new Error(`expected a run of ${region}`);
    const { endpointUrl } = first.state.aws;
    return { runner, endpointUrl, lost: (await readRegions(endpointUrl)).lost };
  }

  async stop(): Promise<void> {
    await this.#stopControl();
    // The first has the emulator, which the others still use while they end.
    for (const runner of this.#runners.toReversed()) await runner.stop();
    this.removeFiles();
  }

  /** For the last moment of a process that cannot wait any more. */
  kill(): void {
    for (const runner of this.#runners) runner.kill();
    this.removeFiles();
  }

  removeFiles(): void {
    for (const runner of this.#runners) runner.removeFiles();
  }
}

/** The first region's is where the run of one region is; the others' are beside it. */
function placeIn(region: string, stateFile: string): RegionPlace {
  const beside = stateFile.replace(/(?:\.json)?$/, `-${region}.json`);
  return { region, code: regionCodeOf(region), stateFile: region === HOME_REGION ? stateFile : beside };
}

function wrongState(region: string, found: string): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_REGION_STATE',
    message: `the region ${region} cannot be changed so: it is ${found}`,
    remedy: 'see what is up: npm run mesh -- regions',
  });
}
