import type { Document, IndexDescription } from 'mongodb';
import { expect, test } from 'vitest';
import type { ClaimedJob } from '../../src/index.js';
import { collectionNames } from '../collection-names.js';
import { useDatabase } from '../database.js';
import { echo } from '../jobs.js';

const database = useDatabase();

interface Stored extends Document {
  readonly _id: string;
}

const jobs = () => database.db.collection<Stored>(collectionNames.jobs);

/** The entries that a job has now, as texts; none when it is not there. */
async function entriesOf(id: string): Promise<Set<string>> {
  const job = await jobs().findOne({ _id: id });
  if (job === null) return new Set();
  const entries = (await jobs().indexes()).map((index) => entryIn(index, job));
  return new Set((await Promise.all(entries)).filter((entry) => entry !== undefined));
}

async function entryIn(
  { name, key, sparse, partialFilterExpression }: IndexDescription,
  job: Stored,
): Promise<string | undefined> {
  const values = Object.keys(key).map((path) => valueAt(job, path));
  if (sparse && values.every((value) => value === undefined)) return undefined;
  const isIn = await jobs().countDocuments({ $and: [{ _id: job._id }, partialFilterExpression ?? {}] });
  return isIn === 1 ? JSON.stringify([name, ...values]) : undefined;
}

function valueAt(document: Document, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, field) => (isDocument(value) ? value[field] : undefined), document);
}

function isDocument(value: unknown): value is Document {
  return typeof value === 'object' && value !== null;
}

/** How many entries these steps of a job's life make and remove. */
async function entriesWritten(id: string, steps: readonly (() => Promise<unknown>)[]): Promise<number> {
  let written = 0;
  let before = await entriesOf(id);
  for (const step of steps) {
    await step();
    const after = await entriesOf(id);
    written += [...before].filter((entry) => !after.has(entry)).length;
    written += [...after].filter((entry) => !before.has(entry)).length;
    before = after;
  }
  return written;
}

/** Each is a write to another page of the database, and in its journal: they are most of what a job costs it. */
test.each([
  [false, 14],
  [true, 16],
])('with the index of queues (%s) a job costs %i index entries in its life', async (byQueue, expected) => {
  const processor = database.processor();
  await processor.ensureIndexes({ byQueue });
  await processor.addJobFactory(echo);
  let claimed: ClaimedJob | undefined;

  const written = await entriesWritten('a', [
    () => processor.addJob('echo', {}, { id: 'a' }),
    async () => {
      claimed = await processor.pullNextJob();
    },
    async () => claimed && processor.completeJob(claimed, 'done'),
    () => jobs().deleteOne({ _id: 'a' }), // As MongoDB does when its time has come.
  ]);

  expect(written).toBe(expected);
});
