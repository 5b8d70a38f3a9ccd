/** A circuit breaker among several workers does what a simple model does, whichever of them ends, dies or is late. */
import fc from 'fast-check';
import { type Db, MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type EmbeddedMongo, startEmbeddedMongo } from '../../local/mongo/index.js';
import { type ClaimedJob, defineJob, RemoteProcessor, Snooze } from '../../src/index.js';
import { breakerKeyOf } from '../../src/job/breaker-rules.js';
import { silent } from '../database.js';

const RUNS = Number(process.env.MODEL_RUNS ?? 3);
const [WITHIN, PAUSE, LEASE] = [50, 40, 30];
const FAILURES = 2;

const job = defineJob({
  name: 'modelled',
  retryDelay: 0,
  maxRetries: 1000,
  circuitBreaker: { failures: FAILURES, within: `${WITHIN}s`, pause: `${PAUSE}s` },
  run: () => {},
});
const key = breakerKeyOf('modelled');

/** A job that a worker holds. */
interface Held {
  readonly id: number;
  readonly leasedAt: number;
  readonly isProbe: boolean;
}

/** All times are seconds. */
class Model {
  failed: number[] = [];
  /** When a job may be tried, or when somebody asks for the one that is tried. Undefined while it is closed. */
  probeAt: number | undefined;
  probe: Held | undefined;
  #pulled = 0;

  /** Returns the job that a worker gets, if any. */
  pull(now: number): Held | undefined {
    const isProbe = this.probeAt !== undefined;
    if (this.probeAt !== undefined) {
      if (now < this.probeAt) return undefined;
      this.probeAt = now + LEASE;
      if (this.probe && now < this.probe.leasedAt + LEASE) return undefined;
    }
    this.#pulled += 1;
    const held = { id: this.#pulled, leasedAt: now, isProbe };
    if (isProbe) this.probe = held;
    return held;
  }

  end(held: Held, how: End, now: number): void {
    if (held.isProbe) this.#endProbe(held, how, now);
    else if (how === 'fail' && this.probeAt === undefined) {
      this.failed = [...this.failed.filter((moment) => moment > now - WITHIN), now].slice(-FAILURES);
      if (this.failed.length < FAILURES) return;
      this.failed = [];
      this.probeAt = now + PAUSE;
    }
  }

  close(): void {
    this.failed = [];
    this.probeAt = undefined;
    this.probe = undefined;
  }

  #endProbe(held: Held, how: End, now: number): void {
    if (this.probe !== held) return; // Another is tried by now, or a person closed it.
    if (how === 'complete') {
      this.close();
      return;
    }
    this.probe = undefined;
    this.probeAt = now + (how === 'fail' ? PAUSE : 0);
  }
}

type End = 'fail' | 'complete' | 'snooze';

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('pull' as const), workers: fc.constantFrom(1, 1, 3) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('end' as const),
      which: fc.nat(9),
      how: fc.constantFrom<End>('fail', 'fail', 'fail', 'complete', 'snooze'),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('pass' as const), s: fc.constantFrom(1, 15, 31, 41) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('die' as const), which: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'close' as const }) },
);

let now = 0;
let mongo: EmbeddedMongo;
let client: MongoClient;
let db: Db;

/** Each has just started, and knows nothing from before. */
function worker(): RemoteProcessor {
  return new RemoteProcessor({ db, log: silent, lease: `${LEASE}s`, jobs: { modelled: job } });
}

beforeAll(async () => {
  mongo = await startEmbeddedMongo({ clock: () => now * 1000 });
  client = new MongoClient(mongo.uri);
  db = client.db('model');
  await worker().ensureIndexes();
});

afterAll(async () => {
  await client.close();
  await mongo.stop();
});

test('a circuit breaker of several workers does as a model does', async () => {
  const property = fc.asyncProperty(fc.array(step, { minLength: 30, maxLength: 40 }), async (steps) => {
    for (const collection of await db.collections()) await collection.deleteMany({});
    now += 1_000_000;
    await worker().addJobs(Array.from({ length: 100 }, () => ({ job })));
    const model = new Model();
    let held: { readonly of: RemoteProcessor; readonly claimed: ClaimedJob; readonly modelled: Held }[] = [];
    for (const one of steps) {
      if (one.kind === 'pass') now += one.s;
      else if (one.kind === 'close') {
        model.close();
        await worker().limits.resume(key);
      } else if (one.kind === 'pull') {
        const workers = Array.from({ length: one.workers }, worker);
        const pulled = await Promise.all(
          workers.map(async (of) => ({ of, claimed: await of.pullNextJob() })),
        );
        const modelled = workers.map(() => model.pull(now)).filter((each) => each !== undefined);
        const got = pulled.flatMap(({ of, claimed }) => (claimed ? [{ of, claimed }] : []));
        expect(got).toHaveLength(modelled.length);
        held.push(...got.flatMap((each, n) => (modelled[n] ? [{ ...each, modelled: modelled[n] }] : [])));
      } else {
        const ending = held[one.which % Math.max(1, held.length)];
        held = held.filter((other) => other !== ending);
        if (!ending || one.kind === 'die') continue;
        model.end(ending.modelled, one.how, now);
        if (one.how === 'complete') await ending.of.completeJob(ending.claimed);
        else await ending.of.failJob(ending.claimed, one.how === 'fail' ? new Error('down') : new Snooze(0));
      }
    }
  });
  await fc.assert(property, { numRuns: RUNS });
});
