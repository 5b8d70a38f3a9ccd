import { setTimeout as sleep } from 'node:timers/promises';
import type { Collection, Db } from 'mongodb';
import { expect } from 'vitest';
import { z } from 'zod';
import type { LocalProcessor } from '../../local/processor.js';
import { type ClaimedJob, defineJob } from '../../src/index.js';
import type { JobDocument } from '../../src/job/job.js';
import { collectionNames } from '../collection-names.js';
import { isSettled, type JobModel } from './job-model.js';

/** The longest wait. A job that is never told to stop fails the test instead of hanging it. */
const PATIENCE_MS = 5_000;

/** The real processor, with the claimed jobs that its caller would hold. */
export interface Real {
  readonly processor: LocalProcessor;
  readonly jobs: Collection<JobDocument>;
  /** Every job ever claimed by `pullNextJob`, including those lost since. */
  readonly claimed: ClaimedJob[];
  /**
   * `onRun` is called when a job runs, so set it before. It returns whether the job then goes on until its signal
   * fires.
   */
  readonly work: { onRun: (id: string, token: string) => boolean };
}

/** Returns a processor with the one job of the model. */
export async function makeReal(db: Db, processor: LocalProcessor): Promise<Real> {
  const work: Real['work'] = { onRun: () => false };
  const modelled = defineJob({
    name: 'modelled',
    input: z.object({ n: z.int() }),
    retryDelay: 0,
    run: async ({ jobId, token, signal }) => {
      if (work.onRun(jobId, token)) await sleep(PATIENCE_MS, undefined, { signal });
    },
  });
  await processor.addJobFactory(modelled);
  return { processor, jobs: db.collection<JobDocument>(collectionNames.jobs), claimed: [], work };
}

/** Expects that the documents match the model. */
export async function expectAsModelled(model: JobModel, { jobs }: Real): Promise<void> {
  const documents = await jobs.find().toArray();
  const real = Object.fromEntries(documents.map((document) => [document._id, relevant(document)]));
  const modelled = Object.fromEntries(
    [...model.jobs].map(([id, job]) => {
      const { isDue: _, worker: __, isExpired: ___, key, ...rest } = job;
      const isClaimable = job.status === 'queued' && !job.runAlone;
      return [id, { ...rest, isClaimable, key: isSettled(job) ? undefined : key }];
    }),
  );
  expect(real).toEqual(modelled);
}

function relevant(document: JobDocument) {
  const { status, retryCounter, givenBackCounter, maxRetries, priority } = document;
  return {
    ...{ status, retryCounter, givenBackCounter, maxRetries, priority },
    cancelRequested: document.cancelRequested !== undefined,
    runAlone: document.runAlone ?? false,
    isClaimable: document.claimable ?? false,
    key: document.uniqueKey,
    token: document.lease?.token,
    lastToken: document.lastToken,
  };
}
