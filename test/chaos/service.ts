import type { Db } from 'mongodb';

interface Service {
  readonly _id: 'service';
  readonly isDown: boolean;
}

/** Returns whether the service is down that jobs behind a circuit breaker need. */
export async function isServiceDown(db: Db): Promise<boolean> {
  const service = await db.collection<Service>('service').findOne();
  return service?.isDown ?? false;
}

/** Takes the service down, or lets it work again. */
export async function setServiceDown(db: Db, isDown: boolean): Promise<void> {
  await db
    .collection<Service>('service')
    .updateOne({ _id: 'service' }, { $set: { isDown } }, { upsert: true });
}
