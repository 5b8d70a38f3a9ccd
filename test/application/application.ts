import { type Db, type Document, ObjectId } from 'mongodb';

const longAgo = new Date(Date.UTC(2001));
const thisMinute = new Date(Date.now() - (Date.now() % 60_000));

/** Documents that look as much like this project's as an application's can, in the application's collections. */
const documents: Readonly<Record<string, readonly Document[]>> = {
  jobs: [
    { _id: 'queued', status: 'queued', title: 'Cook', runAt: longAgo },
    { _id: 'due', status: 'queued', jobName: 'echo', queue: 'default', priority: 0, runAt: longAgo },
    { _id: 'ours by name', title: 'Waiter' },
    { _id: 'cancelled', status: 'cancelled', created: longAgo, completed: longAgo, expireAt: longAgo },
    { _id: 'error', status: 'error', jobName: 'echo', created: longAgo, completed: longAgo },
    { _id: 'completed', status: 'completed', created: longAgo, completed: longAgo, expireAt: longAgo },
    { _id: new ObjectId(), status: 'processing', lease: { token: 't', worker: 'w', expires: longAgo } },
  ],
  scheduler: [
    { _id: 'due', type: 'Cron', jobName: 'echo', cron: '* * * * *', active: true, nextCallTime: longAgo },
    { _id: 'off', type: 'Cron', jobName: 'echo', cron: '* * * * *', input: {} },
    { _id: new ObjectId(), active: true, nextCallTime: longAgo, declared: { by: 'root', hash: 'x' } },
  ],
  queues: [
    { _id: 'default', size: 3 },
    { _id: 'mail', paused: true },
  ],
  limits: [
    { _id: 'import', size: 3, max: 7 },
    { _id: 'export', paused: true },
  ],
  jobFactories: [{ _id: 'echo', city: 'Ulm' }],
  workers: [{ _id: 'Ann', expires: longAgo, skills: ['soup'] }],
  marks: [{ _id: 'grade', at: longAgo, expireAt: longAgo }],
  statistics: [
    { _id: thisMinute, visits: 3, expireAt: longAgo },
    { _id: new Date(thisMinute.getTime() + 60_000), visits: 0 },
  ],
  statisticsHours: [{ _id: longAgo, visits: 3, expireAt: longAgo }],
  idempotencyKeys: [{ _id: 'k', expireAt: longAgo }],
  wrongKeys: [{ _id: 'front door', expireAt: longAgo }],
  users: [{ _id: 'Ann', status: 'queued', expireAt: longAgo }],
};

/** Puts an application's documents and indexes into a database. */
export async function addApplication(db: Db): Promise<void> {
  for (const [name, own] of Object.entries(documents)) {
    const collection = db.collection<Document>(name);
    await collection.insertMany(own.map((document) => ({ ...document })));
    await collection.createIndex({ status: 1 }, { name: 'status' });
    await collection.createIndex({ expireAt: 1 }, { name: 'expireAt', sparse: true });
  }
}

/** Returns the bytes of all the application's documents, and its indexes. */
export async function applicationIn(db: Db): Promise<readonly unknown[]> {
  const all = Object.entries(documents).map(async ([name, own]) => {
    const ids = own.map(({ _id }) => _id);
    const bytes = db.collection<Document>(name, { raw: true }).find({ _id: { $in: ids } });
    const indexes = await db.collection(name).indexes();
    const isItsOwn = (index: { readonly name?: string }) => ['status', 'expireAt'].includes(index.name ?? '');
    return [name, await bytes.sort({ _id: 1 }).toArray(), indexes.filter(isItsOwn)];
  });
  return Promise.all(all);
}

/** Returns the whole content of a database: its collections' names, their numbers of documents, and their indexes. */
export async function everythingIn(db: Db): Promise<readonly unknown[]> {
  const all = (await db.collections()).map(async (collection) => {
    const indexes = (await collection.indexes()).map(({ name }) => name);
    return [collection.collectionName, await collection.countDocuments(), indexes.toSorted()];
  });
  return (await Promise.all(all)).toSorted();
}
