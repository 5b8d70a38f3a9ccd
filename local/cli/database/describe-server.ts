import type { Db } from 'mongodb';
import * as z from 'zod';

const helloSchema = z.object({
  setName: z.string().optional(),
  msg: z.string().optional(),
  localTime: z.date(),
});
const buildInfoSchema = z.object({ version: z.string() });

/** A database server's own description. */
export interface ServerDescription {
  readonly version: string;
  /** True for a replica set, and behind a mongos. */
  readonly hasTransactions: boolean;
  readonly time: Date;
}

/** Asks the server for its version, its kind and its time. */
export async function describeServer(db: Db): Promise<ServerDescription> {
  const { version } = buildInfoSchema.parse(await db.command({ buildInfo: 1 }));
  const { setName, msg, localTime } = helloSchema.parse(await db.command({ hello: 1 }));
  return { version, hasTransactions: setName !== undefined || msg === 'isdbgrid', time: localTime };
}
