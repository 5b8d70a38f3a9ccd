import { BSON, type Db, type MongoClient } from 'mongodb';
import { BSON_VERSION } from './bson-marks.js';
import { fieldOf } from './driver-error.js';

/** The supported major versions of the mongodb driver. Its `bson` package has the same major version. */
export const supportedDrivers: readonly number[] = [6, 7];

/** A Db of any copy of the mongodb driver 6 or 7. The types of different copies are incompatible. */
export interface AnyDb {
  readonly databaseName: string;
  collection(name: string): object;
}

/** A ClientSession of any copy of the mongodb driver 6 or 7. */
export interface AnySession {
  inTransaction(): boolean;
  endSession(): Promise<void>;
}

/** Returns whether a value is a Db. Judges by its shape, since it may come from another copy of the driver. */
export function isDb(value: unknown): value is Db {
  const startSession = fieldOf(fieldOf(value, 'client'), 'startSession');
  return typeof fieldOf(value, 'databaseName') === 'string' && typeof startSession === 'function';
}

/** Returns the reason why a Db cannot be used, or undefined if it can. */
export function driverProblem(db: Db): string | undefined {
  const { major } = driverOf(db);
  if (major !== undefined && supportedDrivers.includes(major)) return undefined;
  const version = fieldOf(fieldOf(fieldOf(db.client.options, 'metadata'), 'driver'), 'version');
  const found = typeof version === 'string' ? version : (major ?? 'an earlier version');
  return `expected a Db of the mongodb driver ${supportedDrivers.join(' or ')}, not of ${found}`;
}

/** The driver of a Db. */
interface Driver {
  /** Major version. Undefined if the driver is too old to tell. */
  readonly major: number | undefined;
  /** Whether its BSON values come from this package's copy of BSON. */
  readonly sharesBson: boolean;
}

/**
 * Inspects the driver of a Db without asking a server. A session's id is a BSON value that the driver made, so it reveals the
 * driver's copy of BSON.
 */
export function driverOf({ client }: { readonly client: MongoClient }): Driver {
  const session = client.startSession();
  const id: unknown = fieldOf(session.id, 'id');
  // The session was not used on a server, so there is nothing to end there.
  void session.endSession();
  const major = fieldOf(id, BSON_VERSION);
  const prototype: unknown = Object.getPrototypeOf(Object(id));
  return {
    major: typeof major === 'number' ? major : undefined,
    sharesBson: prototype === BSON.Binary.prototype || prototype === BSON.UUID.prototype,
  };
}
