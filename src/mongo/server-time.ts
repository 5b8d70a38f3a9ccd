import { types } from 'node:util';
import type { Db } from 'mongodb';

/**
 * The database's clock. What is due, and when, is judged by it and never by the clock of a worker or a
 * producer (invariant 6). Where a statement can say `$$NOW` itself, that is better: it costs no command.
 */
export async function serverTime(db: Db): Promise<Date> {
  const { localTime } = await db.command({ hello: 1 });
  if (types.isDate(localTime)) return localTime;
  throw new Error("The database did not tell its time: 'hello' gave no localTime.");
}
