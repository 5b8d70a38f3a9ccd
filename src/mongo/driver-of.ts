import { BSON, type Db, type MongoClient } from 'mongodb';
import { BSON_VERSION } from './bson-marks.js';
import { fieldOf } from './driver-error.js';

/** The major versions of the mongodb driver that work. The `bson` package that belongs to each has the same number. */
export const supportedDrivers: readonly number[] = [6, 7];

/** A Db of the mongodb driver, 6 or 7, of whichever copy: types of one do not fit another. */
export interface AnyDb {
  readonly databaseName: string;
  collection(name: string): object;
}

/** A ClientSession of it. */
export interface AnySession {
  inTransaction(): boolean;
  endSession(): Promise<void>;
}

/** By its shape: there may be two copies of the driver. */
export function isDb(value: unknown): value is Db {
  const startSession = fieldOf(fieldOf(value, 'client'), 'startSession');
  return typeof fieldOf(value, 'databaseName') === 'string' && typeof startSession === 'function';
}

/** Why this Db cannot be used; undefined when it can. */
export function driverProblem(db: Db): string | undefined {
  const { major } = driverOf(db);
  if (major !== undefined && supportedDrivers.includes(major)) return undefined;
  const version = fieldOf(fieldOf(fieldOf(db.client.options, 'metadata'), 'driver'), 'version');
  const found = typeof version === 'string' ? version : (major ?? 'an earlier version');
  return `expected a Db of the mongodb driver ${supportedDrivers.join(' or ')}, not of ${found}`;
}

/** The driver that a Db is of. */
interface Driver {
  /** Undefined for one from before it told. */
  readonly major: number | undefined;
  /** Whether its values of BSON are of the copy that this package has. */
  readonly sharesBson: boolean;
}

/** Asks a Db, and no server. The id of a session is a value of BSON that the driver makes: it tells which copy that uses. */
export function driverOf({ client }: { readonly client: MongoClient }): Driver {
  const session = client.startSession();
  const id: unknown = fieldOf(session.id, 'id');
  // Ends nothing on a server: it was not used there.
  void session.endSession();
  const major = fieldOf(id, BSON_VERSION);
  const prototype: unknown = Object.getPrototypeOf(Object(id));
  return {
    major: typeof major === 'number' ? major : undefined,
    sharesBson: prototype === BSON.Binary.prototype || prototype === BSON.UUID.prototype,
  };
}
