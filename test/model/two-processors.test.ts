import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import type { LocalProcessor } from '../../local/processor.js';
import { type ClaimedJob, defineJob, RemoteException } from '../../src/index.js';
import type { JobDocument } from '../../src/job/job.js';
import { collectionNames } from '../collection-names.js';
import { expectCountedOnce } from '../counted-once.js';
import { useDatabase } from '../database.js';

const database = useDatabase();

const RUNS = Number(process.env.MODEL_RUNS ?? 5);

/** What happened, as both processors were told. */
class History {
  readonly added = new Set<string>();
  /** How often each job was claimed. */
  readonly claims = new Map<string, number>();
  /** Which outcomes counted. */
  readonly settledBy = new Map<string, string[]>();
  /** Those of which it was said that they were cancelled before they ran. */
  readonly cancelled = new Set<string>();
  readonly broken: string[] = [];

  claim(id: string): void {
    this.claims.set(id, (this.claims.get(id) ?? 0) + 1);
    if (this.cancelled.has(id)) this.broken.push(`${id} was claimed after it was cancelled.`);
    if (this.settledBy.has(id)) this.broken.push(`${id} was claimed after it was settled.`);
  }

  settle(id: string, token: string): void {
    this.settledBy.set(id, [...(this.settledBy.get(id) ?? []), token]);
  }
}

interface Actor {
  readonly processor: LocalProcessor;
  readonly held: ClaimedJob[];
  readonly history: History;
}

const actions = {
  async add({ processor, history }: Actor, n: number) {
    const uniqueKey = n % 3 === 0 ? `key ${n % 2}` : undefined;
    history.added.add(await processor.addJob('shared', { n }, { uniqueKey, maxRetries: 1 + (n % 3) }));
  },
  async claim({ processor, history, held }: Actor) {
    const job = await processor.pullNextJob();
    if (!job) return;
    history.claim(job.id);
    held.push(job);
  },
  async complete({ processor, history, held }: Actor, n: number) {
    const [job] = held.splice(n % Math.max(1, held.length), 1);
    if (!job) return;
    const status = await processor.completeJob(job, { token: job.token }).catch(() => 'stale');
    if (status !== 'stale') history.settle(job.id, job.token);
  },
  async fail({ processor, history, held }: Actor, n: number) {
    const [job] = held.splice(n % Math.max(1, held.length), 1);
    if (!job) return;
    const error = n % 2 === 0 ? new Error('Try again.') : new RemoteException('Hopeless.');
    const status = await processor.failJob(job, error).catch(() => 'stale');
    if (status === 'error' || status === 'cancelled') history.settle(job.id, job.token);
  },
  async cancel({ processor, history }: Actor, n: number) {
    const id = [...history.added][n % Math.max(1, history.added.size)];
    if (id === undefined) return;
    if ((await processor.cancelJob(id).catch(() => 'settled')) === 'cancelled') history.cancelled.add(id);
  },
  async drain({ processor }: Actor) {
    expectCountedOnce(await processor.drain());
  },
  async recover({ processor }: Actor) {
    await processor.scheduleDueItems();
  },
  /** Every lease that there is expires. */
  async expire() {
    await database.db
      .collection(collectionNames.jobs)
      .updateMany({ status: 'processing' }, { $set: { 'lease.expires': new Date(0) } });
  },
  async wait() {
    await nextTurn();
  },
};

const anyAction = fc.tuple(
  fc.constantFrom(
    ...(['add', 'claim', 'complete', 'fail', 'cancel', 'drain', 'recover', 'expire', 'wait'] as const),
  ),
  fc.nat({ max: 100 }),
);
const anyScript = fc.array(anyAction, { minLength: 5, maxLength: 40 });

/** A processor of its own connection pool would be no different: the two share nothing but the database. */
async function makeActor(history: History): Promise<Actor> {
  const processor = database.processor({ maxThreads: 2 });
  const shared = defineJob({
    name: 'shared',
    input: z.object({ n: z.int() }),
    retryDelay: 0,
    run: async ({ jobId, token, input }) => {
      history.claim(jobId);
      await nextTurn();
      if (input.n % 5 === 0) throw new Error('Try again.');
      return { token };
    },
  });
  await processor.addJobFactory(shared);
  return { processor, held: [], history };
}

async function play(
  actor: Actor,
  script: readonly (readonly [keyof typeof actions, number])[],
): Promise<void> {
  for (const [action, n] of script) await actions[action](actor, n);
}

/** Whatever was left in somebody's hands is lost, recovered and run. */
async function comeToRest(actor: Actor): Promise<void> {
  const unsettled = { status: { $in: ['queued', 'processing'] } };
  for (let round = 0; round < 10; round += 1) {
    if ((await database.db.collection(collectionNames.jobs).countDocuments(unsettled)) === 0) return;
    await actions.expire();
    await actor.processor.drain();
  }
}

function expectInvariants(jobs: readonly JobDocument[], { added, claims, settledBy, broken }: History): void {
  expect(broken).toEqual([]);
  expect(jobs.map(({ _id }) => _id).sort()).toEqual([...added].sort());
  for (const job of jobs) {
    const { _id, status, retryCounter, givenBackCounter, maxRetries, output, lastToken, cancelRequested } =
      job;
    expect(['completed', 'error', 'cancelled']).toContain(status);
    expect(cancelRequested !== undefined).toBe(status === 'cancelled');
    expect(retryCounter + givenBackCounter).toBe(claims.get(_id) ?? 0);
    expect(retryCounter).toBeLessThanOrEqual(maxRetries);
    expect((settledBy.get(_id) ?? []).length).toBeLessThanOrEqual(1);
    if (status === 'completed') expect(output).toEqual({ token: lastToken });
  }
}

test('two processors at once lose nothing, run nothing after it was settled, and count every attempt', async () => {
  const property = fc.asyncProperty(anyScript, anyScript, async (one, other) => {
    await database.db.collection(collectionNames.jobs).deleteMany({});
    const history = new History();
    const actors = [await makeActor(history), await makeActor(history)] as const;
    await Promise.all([play(actors[0], one), play(actors[1], other)]);
    await comeToRest(actors[0]);
    expectInvariants(
      await database.db.collection<JobDocument>(collectionNames.jobs).find().toArray(),
      history,
    );
  });
  await fc.assert(property, { numRuns: RUNS });
});
