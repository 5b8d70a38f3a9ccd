import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Db, MongoClient } from 'mongodb';
import { LocalProcessor } from '../../local/processor.js';
import { serverTime } from '../../src/mongo/server-time.js';
import { collectionNames } from '../collection-names.js';
import { withBundle } from './bundle.js';
import { check } from './check.js';
import { chaosJobs } from './child/chaos-job.js';
import { Ledger } from './child/ledger.js';
import { type Counts, countEvidence } from './counts.js';
import type { Evidence, Violation } from './evidence.js';
import { gatherEvidence } from './gather-evidence.js';
import { Member } from './member.js';
import { cast, type Fault, faultKinds, planFaults, planOutages, type Role } from './plan-faults.js';
import { jobNames } from './plan-jobs.js';
import { schedulerItems } from './scheduler-items.js';
import { type Server, withServer } from './server.js';
import { setServiceDown } from './service.js';
import { silent } from './silent.js';
import { TcpProxy } from './tcp-proxy.js';

/** As short as leases may be, so that a minute shows a lot. */
const LEASE_MS = 1000;

/**
 * The largest number of jobs that a worker holds. It runs 5, and claims some ahead when its jobs end at once, but only
 * a few because the ledger takes time. An interruption may end that many claims before their runs begin.
 */
const MAX_HELD = 20;

/** The time for schedulers to make due jobs after the faults. */
const CATCH_UP_MS = 90_000;

/** The time for the remaining jobs after the faults. */
const PATIENCE_MS = 240_000;

export interface ChaosOptions {
  /** Determines the faults, their times, and what the jobs do. */
  readonly seed: number;
  /** The duration of the faults. The remaining work takes additional time. */
  readonly seconds: number;
  /** Reports what happens. */
  readonly say?: (line: string) => void;
}

export interface ChaosResult {
  readonly counts: Counts;
  readonly violations: readonly Violation[];
}

/** Runs workers, schedulers and a producer on one database, lets everything go wrong, and checks the outcome. */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  return withBundle((bundle) =>
    withServer(bundle.server, (server) =>
      withDatabase(server, (db) => new ChaosRun(options, bundle.program, server, db).run()),
    ),
  );
}

/** Calls `work` with its own database, which is dropped unless something is wrong. */
async function withDatabase({ uri }: Server, work: (db: Db) => Promise<ChaosResult>): Promise<ChaosResult> {
  const client = await new MongoClient(uri).connect();
  try {
    const db = client.db(`chaos-${randomBytes(6).toString('hex')}`);
    const result = await work(db);
    if (result.violations.length === 0) await db.dropDatabase();
    return result;
  } finally {
    await client.close();
  }
}

class ChaosRun {
  readonly #faults: Fault[];
  readonly #members: Member[] = [];
  #itemsEnded = new Date(0);

  constructor(
    private readonly options: ChaosOptions,
    private readonly program: string,
    private readonly server: Server,
    private readonly db: Db,
  ) {
    this.#faults = planFaults(options.seed, options.seconds);
  }

  async run(): Promise<ChaosResult> {
    await this.#prepare();
    try {
      for (const member of this.#members) member.start();
      await this.#doHarm();
      await this.#comeToRest();
    } finally {
      await Promise.all(this.#members.map((member) => member.close()));
    }
    await sleep(2 * LEASE_MS);
    return this.#judge();
  }

  async #prepare(): Promise<void> {
    const processor = new LocalProcessor({ db: this.db, log: silent });
    await processor.ensureIndexes();
    await processor.addJobFactories(chaosJobs(new Ledger(this.db, 'nobody')));
    for (const item of schedulerItems) await processor.addScheduler(item);
    for (const role of ['worker', 'scheduler', 'producer'] as const) {
      for (const name of cast[role]) this.#members.push(await this.#makeMember(name, role));
    }
  }

  async #makeMember(name: string, role: Role): Promise<Member> {
    const { seed } = this.options;
    const { uri: directUri } = this.server;
    const setting = { name, role, directUri, databaseName: this.db.databaseName, leaseMs: LEASE_MS, seed };
    return new Member(this.program, setting, await TcpProxy.start(this.server.address));
  }

  /** Causes the faults, each at its time, and resolves when the last is over. */
  async #doHarm(): Promise<void> {
    const start = performance.now();
    const under = planOutages(this.options.seconds).map(async ({ at, ms }) => {
      await sleep(at);
      await setServiceDown(this.db, true);
      await sleep(ms);
      await setServiceDown(this.db, false);
    });
    for (const fault of this.#faults) {
      await sleep(Math.max(0, start + fault.at - performance.now()));
      this.options.say?.(`${(fault.at / 1000).toFixed(1)} s: ${fault.kind} ${fault.target} ${fault.ms} ms`);
      const member = this.#members.find(({ name }) => name === fault.target);
      if (member) under.push(member.suffer(fault));
    }
    await Promise.all(under);
  }

  /** Waits until all jobs are settled. No new jobs come, and only the jobs themselves still cause faults. */
  async #comeToRest(): Promise<void> {
    const producers = this.#members.filter(({ name }) => name.startsWith('producer'));
    await Promise.all(producers.map((member) => member.close()));
    await untilNone(() => this.#countOverdueItems(), CATCH_UP_MS);
    await this.db
      .collection(collectionNames.scheduler)
      .updateMany({}, { $set: { active: false, nextCallTime: null }, $inc: { version: 1 } });
    await untilNone(() => this.#countUnsettled(), PATIENCE_MS);
  }

  async #countOverdueItems(): Promise<number> {
    this.#itemsEnded = await serverTime(this.db);
    return this.db
      .collection(collectionNames.scheduler)
      .countDocuments({ active: true, $expr: { $lte: ['$nextCallTime', '$$NOW'] } });
  }

  /** Counts unsettled jobs, except those that are delayed by more than a retry would be, and do not wait for others. */
  #countUnsettled(): Promise<number> {
    const soon = { $lte: ['$runAt', { $add: ['$$NOW', 60_000] }] };
    const queued = [{ $expr: soon }, { 'steps.waits.on': { $exists: true } }];
    return this.db
      .collection(collectionNames.jobs)
      .countDocuments({ $or: [{ status: 'processing' }, { status: 'queued', $or: queued }] });
  }

  async #judge(): Promise<ChaosResult> {
    const evidence: Evidence = {
      ...(await gatherEvidence(this.db)),
      crashes: this.#members.flatMap(({ crashes }) => crashes),
      leaseMs: LEASE_MS,
      itemsEnded: this.#itemsEnded,
      mayBeShort: MAX_HELD * (await this.#countInterruptions()),
    };
    const violations = check(evidence);
    const { seed, seconds } = this.options;
    return {
      violations,
      counts: { seed, seconds, ...this.#countFaults(), ...countEvidence(evidence, violations) },
    };
  }

  /** Counts every fault, every end of a process, and every job that blocked its process. */
  async #countInterruptions(): Promise<number> {
    const blocking = ['block', 'block for long'];
    const blocked = await this.db.collection(collectionNames.jobs).countDocuments({
      jobName: { $in: [jobNames.worker, jobNames.ordered, jobNames.guarded] },
      'input.fate': { $in: blocking },
    });
    return this.#faults.length + this.#members.reduce((sum, { ends }) => sum + ends, 0) + blocked;
  }

  #countFaults(): Counts {
    const counts = faultKinds.map((kind) => [
      kind,
      this.#faults.filter((fault) => fault.kind === kind).length,
    ]);
    const sumOf = (count: (member: Member) => number) => this.#members.map(count).reduce((a, b) => a + b, 0);
    return {
      faults: this.#faults.length,
      ...Object.fromEntries(counts),
      requestsBroken: sumOf(({ requestsBroken }) => requestsBroken),
      starts: sumOf(({ starts }) => starts),
    };
  }
}

async function untilNone(count: () => Promise<number>, patienceMs: number): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while ((await count()) > 0 && performance.now() < deadline) await sleep(200);
}
