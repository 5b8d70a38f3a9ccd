import { randomUUID } from 'node:crypto';
import { type ClientSession, type Collection, type Db, MongoClient } from 'mongodb';
import { z } from 'zod';
import type { LimitDocument } from '../../../src/flow/limit-document.js';
import { AttemptAbortedError, type JobContext } from '../../../src/index.js';
import { breakerKeyOf } from '../../../src/job/breaker-rules.js';
import type { JobDocument } from '../../../src/job/job.js';
import { collectionNames } from '../../collection-names.js';
import {
  type Effect,
  type Note,
  type Run,
  type SightedBreaker,
  type Sighting,
  sightedFields,
} from '../evidence.js';
import { isServiceDown } from '../service.js';

/** The largest difference between a monotonic clock and the database's, both cut to milliseconds. */
const ROUNDING_MS = 5;

/** The exit code of a process whose ledger failed, after which nothing can be concluded. */
const LEDGER_FAILED = 70;

type RunContext = Pick<JobContext, 'jobId' | 'attempt' | 'token' | 'signal'>;

/** Writes down what really happens, over a connection that no fault touches. */
export class Ledger {
  readonly #runs: Collection<Run>;
  readonly #notes: Collection<Note>;
  readonly #steps: Collection<{ readonly _id: string }>;
  readonly #jobs: Collection<JobDocument>;
  readonly #limits: Collection<LimitDocument>;

  constructor(
    private readonly db: Db,
    private readonly processName: string,
  ) {
    this.#runs = db.collection<Run>('ledger');
    this.#notes = db.collection<Note>('notes');
    this.#steps = db.collection('notes');
    this.#jobs = db.collection<JobDocument>(collectionNames.jobs);
    this.#limits = db.collection<LimitDocument>(collectionNames.limits);
  }

  async note(note: Note): Promise<void> {
    await reliably(this.#notes.insertOne({ ...note }));
  }

  /** Notes what became of a step, by the database's clock. */
  async noteStep(
    kind: 'step ran' | 'step stored',
    { jobId: job, token }: Pick<JobContext, 'jobId' | 'token'>,
    step: string,
  ): Promise<void> {
    const note = { kind, job: { $literal: job }, step, token, at: '$$NOW' };
    await reliably(this.#steps.updateOne({ _id: randomUUID() }, [{ $set: note }], { upsert: true }));
  }

  /** Takes effect once in a transaction of the job, on the job's own connection. */
  async addEffect(job: string, session: ClientSession): Promise<void> {
    const client = z.instanceof(MongoClient).parse(Reflect.get(session, 'client'));
    const effects = client.db(this.db.databaseName).collection<Effect>('effects');
    await effects.updateOne({ _id: job }, { $inc: { times: 1 } }, { upsert: true, session });
  }

  /**
   * Notes that a run begins, calls `work` with the job as it is now, and notes how the run ended.
   *
   * @param guarded name of the job if it has a circuit breaker
   */
  async run<Result>(
    context: RunContext,
    work: (job: Sighting | null) => Promise<Result>,
    guarded?: string,
  ): Promise<Result> {
    const _id = randomUUID();
    this.#watch(_id, context.signal);
    const run = await this.#begin(_id, context, guarded);
    try {
      const result = await work(run.began);
      await this.#end(run, 'returned');
      return result;
    } catch (error) {
      await this.#end(run, 'threw');
      throw error;
    }
  }

  /** Returns whether the service is down that jobs behind a circuit breaker need. */
  isServiceDown(): Promise<boolean> {
    return reliably(isServiceDown(this.db));
  }

  async #begin(_id: string, { jobId, attempt, token }: RunContext, guarded?: string): Promise<Run> {
    const called = performance.now();
    const began = await this.#look(jobId);
    const lateBy = performance.now() - called + ROUNDING_MS;
    const breaker = guarded === undefined ? undefined : await this.#lookAtBreaker(guarded);
    const run = {
      job: jobId,
      attempt,
      token,
      process: this.processName,
      notBefore: new Date((began?.at.getTime() ?? 0) - Math.ceil(lateBy)),
      began,
      ...(breaker && { breaker }),
    };
    await this.#write(_id, run);
    return { _id, ...run };
  }

  async #end({ _id, job }: Run, how: 'returned' | 'threw'): Promise<void> {
    const sighting = await this.#look(job);
    await this.#write(_id, { ended: { how, sighting } });
  }

  /** Watches from the first moment. Before a run is written down, its worker may settle the job without it, and die. */
  #watch(_id: string, signal: AbortSignal): void {
    const write = () => {
      const why = signal.reason instanceof AttemptAbortedError ? signal.reason.why : 'failed';
      const aborted = [{ $set: { aborted: { why, at: '$$NOW' } } }];
      void reliably(this.#runs.updateOne({ _id }, aborted, { upsert: true }));
    };
    if (signal.aborted) write();
    else signal.addEventListener('abort', write, { once: true });
  }

  async #write(_id: string, part: Partial<Run>): Promise<void> {
    await reliably(this.#runs.updateOne({ _id }, { $set: part }, { upsert: true }));
  }

  /** Reads the job's document and the database's time of the same moment. */
  async #look(_id: string): Promise<Sighting | null> {
    const stages = [{ $match: { _id } }, { $project: sightedFields }, { $set: { at: '$$NOW' } }];
    const [sighting] = await reliably(this.#jobs.aggregate<Sighting>(stages).toArray());
    return sighting ?? null;
  }

  async #lookAtBreaker(jobName: string): Promise<SightedBreaker | undefined> {
    const open = { _id: breakerKeyOf(jobName), opened: { $exists: true } };
    const options = { projection: { _id: 0, opened: 1, probe: 1 } };
    return (await reliably(this.#limits.findOne<SightedBreaker>(open, options))) ?? undefined;
  }
}

async function reliably<Result>(operation: Promise<Result>): Promise<Result> {
  try {
    return await operation;
  } catch (error) {
    console.error('The ledger failed:', error);
    process.exit(LEDGER_FAILED);
  }
}
