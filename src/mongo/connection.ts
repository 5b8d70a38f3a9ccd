import type { MongoClient } from 'mongodb';

/**
 * Connects a client before its first use, and tries again at each use until a connection succeeds. The driver itself tries only
 * once. If the database is down at that time, every later operation fails with MongoTopologyClosedError.
 *
 * A client that was connected and then closed stays closed, since somebody closed it on purpose.
 */
export class Connection {
  #wasMade = false;

  constructor(private readonly client: MongoClient) {}

  /** Resolves when the client can be used. Costs nothing once connected. @throws the driver's errors */
  async make(): Promise<void> {
    if (this.#wasMade) return;
    await this.client.connect();
    this.#wasMade = true;
  }
}
