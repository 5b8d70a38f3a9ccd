import { types } from 'node:util';
import type { Db } from 'mongodb';

/**
 * Reads the database's clock. This clock alone decides what is due. The clock of a worker or a producer never does (invariant
 * 6). Prefer `$$NOW` in a statement, which costs no command.
 */
export async function serverTime(db: Db): Promise<Date> {
  const { localTime } = await db.command({ hello: 1 });
  if (types.isDate(localTime)) return localTime;
  throw new Error("The database did not tell its time: 'hello' gave no localTime.");
}
