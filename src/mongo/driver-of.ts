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

/** A ClientSession of any copy of the driver. */
export interface AnySession {
  inTransaction(): boolean;
  endSession(): Promise<void>;
}

/** Returns whether a value is a Db, judged by its shape, since there may be two copies of the driver. */
export function isDb(value: unknown): value is Db {
  const startSession = fieldOf(fieldOf(value, 'client'), 'startSession');
  return typeof fieldOf(value, 'databaseName') === 'string' && typeof startSession === 'function';
}

/** Returns why a Db cannot be used. Undefined if it can. */
export function driverProblem(db: Db): string | undefined {
  const { major } = driverOf(db);
  if (major !== undefined && supportedDrivers.includes(major)) return undefined;
  const version = fieldOf(fieldOf(fieldOf(db.client.options, 'metadata'), 'driver'), 'version');
  const found = typeof version === 'string' ? version : (major ?? 'an earlier version');
  return `expected a Db of the mongodb driver ${supportedDrivers.join(' or ')}, not of ${found}`;
}

/** The driver of a Db. */
interface Driver {
  /** Undefined for a driver too old to tell. */
  readonly major: number | undefined;
  /** Whether its BSON values are of this package's copy. */
  readonly sharesBson: boolean;
}

/**
 * Inspects the driver of a Db without asking a server. The driver makes a session's id as a BSON value, which shows its
 * copy.
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
