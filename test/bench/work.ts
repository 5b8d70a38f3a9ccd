import type { Db } from 'mongodb';
import type { Bench } from './bench.js';
import type { Reading, Setting } from './child/setting.js';
import { Child } from './child-process.js';
import type { NeighbourName, WorkerName } from './contenders/contender.js';

/** The figures of workers that ran jobs, from the first claim to the last job settled. */
export interface Worked {
  readonly jobs: number;
  readonly seconds: number;
  readonly jobsPerSecond: number;
  readonly commandsPerJob: number;
  readonly bytesPerJob: number;
  /** The peak memory of the worker process, or of the largest one. */
  readonly peakMemoryBytes: number;
  /** The number of jobs that each worker ran. */
  readonly shares: readonly number[];
  readonly workerCpuMsPerJob: number;
  /** Known only for an embedded server. */
  readonly serverCpuMsPerJob: number | undefined;
}

export interface WorkOptions extends Pick<Setting, 'concurrency' | 'jobMs' | 'doesReturn' | 'limit'> {
  readonly contender: WorkerName | NeighbourName;
  readonly db: Pick<Db, 'databaseName'>;
  /** The number of jobs after which the workers stop. */
  readonly jobs: number;
  /** Whether more jobs wait, so that the workers run a few more than `jobs`. */
  readonly moreWait?: boolean;
  /** The time after which the workers stop even if jobs are left. */
  readonly seconds?: number;
  /** The number of worker processes. */
  readonly workers?: number;
  /** The address of a neighbour's server. Default: that of the MongoDB server. */
  readonly uri?: string;
}

/** The longest time for one measurement. A contender that takes longer is left out. */
const PATIENCE_MS = 90_000;

/** The time between two checks of whether all jobs have run. */
const LOOK_MS = 5;

/** Lets workers run waiting jobs, each in its own process. @throws Error when it takes too long */
export async function work({ server, programs }: Bench, options: WorkOptions): Promise<Worked> {
  const {
    contender,
    db,
    jobs,
    moreWait = false,
    seconds,
    workers = 1,
    uri = server.uri,
    concurrency,
    jobMs,
    doesReturn,
    limit,
  } = options;
  const setting: Setting = {
    contender,
    task: 'work',
    uri,
    database: db.databaseName,
    concurrency,
    ...(jobMs && { jobMs }),
    ...(doesReturn && { doesReturn }),
    ...(limit && { limit }),
  };
  const children = await Promise.all(
    Array.from({ length: workers }, () => Child.start(programs.worker, setting)),
  );
  try {
    const before = await server.usage();
    for (const child of children) child.tell('begin');
    await allRan(children, jobs, seconds);
    for (const child of children) child.tell('stop');
    const readings = await Promise.all(children.map(({ reading }) => reading));
    const after = await server.usage();
    const serverMs = before && after && after.cpuMs - before.cpuMs;
    const worked = summarize(readings, serverMs);
    if (worked.jobs !== jobs && !moreWait && seconds === undefined)
      throw new Error(`It ran ${worked.jobs} jobs where there were ${jobs}.`);
    return worked;
  } finally {
    for (const child of children) child.kill();
  }
}

async function allRan(children: readonly Child[], jobs: number, seconds = Infinity): Promise<void> {
  const ran = () => children.reduce((sum, child) => sum + child.ran, 0);
  let timer: NodeJS.Timeout | undefined;
  const enough = new Promise<void>((resolve, reject) => {
    const begun = Date.now();
    const end = begun + PATIENCE_MS;
    timer = setInterval(() => {
      if (ran() >= jobs || Date.now() >= begun + seconds * 1000) resolve();
      else if (Date.now() > end)
        reject(new Error(`It ran ${ran()} of ${jobs} jobs in ${PATIENCE_MS / 1000} s.`));
    }, LOOK_MS);
  });
  try {
    await Promise.race([enough, ...children.map((child) => child.reading.then(endedEarly))]);
  } finally {
    clearInterval(timer);
  }
}

function endedEarly(): never {
  throw new Error('A worker ended before it was told to.');
}

function summarize(readings: readonly Reading[], serverMs: number | undefined): Worked {
  const sum = (of: (reading: Reading) => number) =>
    readings.reduce((total, reading) => total + of(reading), 0);
  const began = Math.min(...readings.map((reading) => reading.began));
  const ended = Math.max(...readings.map((reading) => reading.ended));
  const seconds = (ended - began) / 1000;
  const jobs = sum(({ ran }) => ran);
  return {
    jobs,
    seconds,
    jobsPerSecond: jobs / seconds,
    commandsPerJob: sum(({ commands }) => commands) / jobs,
    bytesPerJob: sum(({ bytes }) => bytes) / jobs,
    peakMemoryBytes: Math.max(...readings.map(({ peakMemoryBytes }) => peakMemoryBytes)),
    shares: readings.map(({ ran }) => ran),
    workerCpuMsPerJob: sum(({ cpuMs }) => cpuMs) / jobs,
    serverCpuMsPerJob: serverMs && serverMs / jobs,
  };
}
