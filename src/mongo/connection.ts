import type { MongoClient } from 'mongodb';

/**
 * Connects a client before its first use, and begins again with the next use until it was connected once. The driver
 * does so by itself, but only once: when its first connection fails, because the database was down, every later operation
 * of that client fails too, with MongoTopologyClosedError.
 *
 * Who closes a client that was connected means it: it is not connected again.
 */
export class Connection {
  #wasMade = false;

  constructor(private readonly client: MongoClient) {}

  /** Resolves when the client can be used; costs nothing once it was connected. @throws what the driver throws */
  async make(): Promise<void> {
    if (this.#wasMade) return;
    await this.client.connect();
    this.#wasMade = true;
  }
}
