import type { Db } from 'mongodb';
import * as z from 'zod';

const helloSchema = z.object({
  setName: z.string().optional(),
  msg: z.string().optional(),
  localTime: z.date(),
});
const buildInfoSchema = z.object({ version: z.string() });

/** The facts that a database server reports about itself. */
export interface ServerDescription {
  readonly version: string;
  /** True for a replica set and for a mongos. */
  readonly hasTransactions: boolean;
  readonly time: Date;
}

/** Asks the server for its version, its kind and its time. */
export async function describeServer(db: Db): Promise<ServerDescription> {
  const { version } = buildInfoSchema.parse(await db.command({ buildInfo: 1 }));
  const { setName, msg, localTime } = helloSchema.parse(await db.command({ hello: 1 }));
  return { version, hasTransactions: setName !== undefined || msg === 'isdbgrid', time: localTime };
}
