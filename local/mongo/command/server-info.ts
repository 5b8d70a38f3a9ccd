import { ObjectId, Timestamp } from 'bson';
import { Topology } from '../topology.js';

/** Returns the time of a database, by its name, in milliseconds since the epoch. */
export type Clock = (database: string) => number;

/** The server's description of itself, its clock, and the timestamps and ids that it makes. */
export class ServerInfo {
  readonly version = '7.0.0';
  readonly setName = 'embedded';
  readonly electionId = new ObjectId('7fffffff0000000000000001');
  readonly topology = new Topology();
  readonly #clock: Clock;
  /** `host:port`, once the server listens. */
  address = '';
  #lastSeconds = 0;
  #increment = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Returns the time of a database in milliseconds since the epoch. Default: the database `admin`. */
  clock(database = 'admin'): number {
    return this.#clock(database);
  }

  /** Returns a cluster time later than every earlier one, even if the clock has been set back. */
  nextTimestamp(): Timestamp {
    const seconds = Math.floor(this.clock() / 1000);
    if (seconds > this.#lastSeconds) {
      this.#lastSeconds = seconds;
      this.#increment = 0;
    }
    this.#increment += 1;
    return new Timestamp({ t: this.#lastSeconds, i: this.#increment });
  }

  /** Returns an ObjectId with the time of the server's clock. */
  newObjectId(): ObjectId {
    return new ObjectId(ObjectId.generate(Math.floor(this.clock() / 1000)));
  }
}
