import { MongoClient } from 'mongodb';
import { RemoteProcessor } from 'remote-processor';
import { confirmOrder } from './jobs';

/** Kept here, because `next dev` loads the modules again after each change. */
declare global {
  var ordersProcessor: RemoteProcessor | undefined;
}

/** Returns the processor that adds jobs. Made when it is first used, so that `next build` needs no database. */
export function processor(): RemoteProcessor {
  const { MONGODB_URI = '', MONGODB_DATABASE } = process.env;
  globalThis.ordersProcessor ??= new RemoteProcessor({
    db: new MongoClient(MONGODB_URI).db(MONGODB_DATABASE),
    jobs: { confirmOrder }, // which inputs they take: known even before the first worker starts
  });
  return globalThis.ordersProcessor;
}
