import type { Collections } from '../src/collections/collections.js';
import { findWrongIndexes } from '../src/collections/find-wrong-indexes.js';
import { IndexMissingError, type Logger } from '../src/index.js';
import { jobIndexes } from '../src/job/indexes.js';
import { foundServers } from './found-servers.js';

/** Sets up an empty database that has replaced the old one. Looks for one whenever the server is found again. */
export class ReplacedDatabase {
  /** The number of servers found when the database was last examined. */
  #found: number;
  #looking: Promise<void> | undefined;

  constructor(
    private readonly collections: Collections,
    private readonly log: Logger,
    private readonly storeJobFactories: () => Promise<void>,
    private readonly setUp: (() => Promise<void>) | undefined,
  ) {
    this.#found = foundServers(collections.client);
  }

  /**
   * Sets the database up if it was replaced. Sends no command while the server stays available.
   *
   * @throws errors of the driver and of the set-up. Call it again after an error
   */
  setUpIfReplaced(): Promise<void> {
    const found = foundServers(this.collections.client);
    if (found === this.#found) return Promise.resolve();
    this.#looking ??= this.#look(found).finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #look(found: number): Promise<void> {
    const { missing } = await findWrongIndexes(this.collections);
    const { collectionName } = this.collections.jobs;
    if (jobIndexes.every(({ name }) => missing.includes(`${collectionName}.${name}`))) {
      await this.#mend(missing);
    }
    this.#found = found;
  }

  /** Stores the job factories, and calls the set-up. Without a set-up, logs that indexes are missing. */
  async #mend(missing: readonly string[]): Promise<void> {
    await this.storeJobFactories();
    if (this.setUp === undefined) {
      const { code, message } = new IndexMissingError();
      this.log.error(`The database is an empty one. ${message}`, { code, missing });
      return;
    }
    await this.setUp();
    const [jobFactories, schedulers] = await Promise.all([
      this.collections.jobFactories.estimatedDocumentCount(),
      this.collections.scheduler.estimatedDocumentCount(),
    ]);
    const made = { indexes: missing.length, jobFactories, schedulers };
    this.log.warn('The database was replaced by an empty one, and is set up again. Its jobs are gone.', made);
  }
}
