import { afterAll, expect, test } from 'vitest';
import type { JobFactory } from '../../src/index.js';
import type { Passage } from '../chaos/tcp-proxy.js';
import { collectionNames } from '../collection-names.js';
import { useDatabase } from '../database.js';
import { failing } from '../jobs.js';
import { afterDeaths, workUntilDead } from '../work-until-dead.js';

const database = useDatabase();

afterAll(afterDeaths);

const kinds: readonly JobFactory[] = [failing];
const ended = new Date(1_700_000_000_000);

/** Puts jobs there that failed, and no others. */
async function failedAnew(): Promise<void> {
  const { jobs, operations } = database.collections();
  await Promise.all([jobs.deleteMany({}), operations.deleteMany({})]);
  await database.db.collection<{ _id: string }>(collectionNames.jobs).insertMany(
    ['a', 'b', 'c'].map((_id) => ({
      ...{ _id, jobName: 'failing', queue: 'default', priority: 0, status: 'error', runAt: ended },
      ...{ created: ended, queued: ended, completed: ended, retryCounter: 1, givenBackCounter: 0 },
      ...{ maxRetries: 1, retryDelay: null, errors: [{ message: 'no' }] },
    })),
  );
}

/** Lets half a minute pass for the process that worked on an operation. */
async function passTime(): Promise<void> {
  const { operations } = database.collections();
  await operations.updateMany({ due: { $exists: true } }, { $set: { due: ended } });
}

const statuses = () => database.collections().jobs.distinct('status');

test.each<Passage>(['cut', 'lose reply'])(
  'whoever dies at a command (%s) of an operation, or of undoing it, leaves it to the next, and no job is changed twice',
  async (fate) => {
    const next = database.processor();
    await next.addJobFactory(failing);
    let died = true;
    // Every second command is enough here, the others in the other case.
    for (let survives = fate === 'cut' ? 0 : 1; died; survives += 2) {
      await failedAnew();
      died = await workUntilDead(
        database,
        { survives, fate },
        () => kinds,
        async (processor) => {
          const { id } = await processor.operations.start({ action: 'retry', filter: { status: 'error' } });
          await processor.operations.undo(id);
        },
      );
      await passTime();
      await next.scheduleDueItems();
      const [operation] = (await next.operations.list()).operations;
      const isUndone = operation?.state === 'undone';
      expect([survives, operation?.state ?? 'none']).toEqual([
        survives,
        expect.stringMatching(/^(none|done|undone)$/),
      ]);
      expect(await statuses()).toEqual([operation && !isUndone ? 'queued' : 'error']);
      expect(await database.collections().jobs.distinct('maxRetries')).toEqual([
        operation && !isUndone ? 2 : 1,
      ]);
      if (operation) expect(operation).toMatchObject({ done: 3, skipped: 0, undone: isUndone ? 3 : 0 });
    }
  },
);
