import { type Db, ObjectId } from 'mongodb';
import { ValidationError } from '../errors.js';
import type { JobRegistry } from '../job/registry.js';
import { toInput } from '../job/storable.js';
import type { Collections } from '../mongo/collections.js';
import { serverTime } from '../mongo/server-time.js';
import { validateNow } from '../validate.js';
import { insertItem } from './insert-item.js';
import { firstCallTime } from './next-call-time.js';
import { type SchedulerOptions, schedulerOptionsSchema } from './scheduler-options.js';

/** Adds a scheduler item and returns its id: see `RemoteProcessor.addScheduler`. */
export async function addItem(
  db: Db,
  { scheduler }: Collections,
  registry: JobRegistry,
  options: SchedulerOptions,
): Promise<string> {
  const subject = 'Options of addScheduler';
  const { id: givenId, input: givenInput, ...item } = validateNow(schedulerOptionsSchema, options, subject);
  const input = toInput(givenInput, item.jobName);
  await (await registry.find(item.jobName)).checkInput(input);
  const firstCall = firstCallTime(item, await serverTime(db));
  if (firstCall === null) {
    throw new ValidationError(subject, [
      { path: '', message: 'its lists never match together: it would never be due' },
    ]);
  }
  const _id = givenId ?? new ObjectId().toHexString();
  await insertItem(scheduler, {
    _id,
    ...item,
    ...(input !== undefined && { input }),
    nextCallTime: item.active ? firstCall : null,
    lastCallTime: null,
    catchUp: 'once',
    version: 1,
  });
  return _id;
}
