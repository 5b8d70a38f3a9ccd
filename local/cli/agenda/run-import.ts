import { findWrongIndexes } from '../../../src/collections/find-wrong-indexes.js';
import type { Config } from '../../../src/config.js';
import { Events } from '../../../src/events.js';
import { type JobFactory, RemoteProcessor } from '../../../src/index.js';
import { readRegistrations } from '../../../src/job/registration.js';
import { JobRegistry } from '../../../src/job/registry.js';
import { closeMongoClients } from '../../../src/mongo/client.js';
import { silentLogger } from '../../../src/silent-logger.js';
import { factoriesOf, loadJobCode } from '../../job-code.js';
import { connectTo, connectToDatabase } from '../api/in-process.js';
import type { CommandContext } from '../context.js';
import { exitCode } from '../exit-code.js';
import { CommandFailure } from '../failure.js';
import { type ImportOptions, importAgenda } from './import-agenda.js';
import { reportJson, reportText } from './report-text.js';

export interface RunOptions extends Omit<ImportOptions, 'onProgress'> {
  /** The address of Agenda's database. Undefined means the database of MONGODB_URI. */
  readonly from: string | undefined;
  readonly collection: string;
  /** The module of the job factories. */
  readonly jobs: string | undefined;
  /** Whether to write. */
  readonly execute: boolean;
}

/** Documents between two messages of progress. */
const PROGRESS_STEP = 10_000;

/** Runs `import agenda`, and prints its report. @throws CommandFailure, or the error of a module of jobs */
export async function runImport(
  { output, env }: Pick<CommandContext, 'output' | 'env'>,
  { from, collection, jobs, execute, ...options }: RunOptions,
): Promise<void> {
  try {
    const target = await connectToDatabase(env);
    const { db, collections, config } = target;
    const agendaDb = from === undefined ? db : (await connectTo(from, 'of --from')).db();
    const source = agendaDb.collection(collection);
    const place = `${collection} of the database ${agendaDb.databaseName}`;
    const total = await source.estimatedDocumentCount();
    const factories = await factoriesIn(jobs, config);
    const registry = new JobRegistry(
      collections.jobFactories,
      factories,
      silentLogger,
      new Events(silentLogger),
    );
    if (execute) await requireIndexes(collections);
    const processor = execute
      ? new RemoteProcessor({
          db,
          collectionPrefix: config.COLLECTION_PREFIX,
          jobs: factories,
          log: silentLogger,
        })
      : undefined;
    const report = await importAgenda(
      source,
      { db, collections, registry, processor },
      {
        ...options,
        onProgress: (read) => {
          if (read % PROGRESS_STEP === 0) output.note(`${read} of about ${total} documents read`);
        },
      },
    );
    if (report.read === 0)
      throw new CommandFailure(exitCode.notFound, `There is no such job in ${place}: is the address right?`, {
        code: 'not_found',
      });
    if (output.isJson) return output.json({ executed: execute, ...reportJson(report) });
    output.print(reportText(report, output));
    output.note(
      execute
        ? `Taken over from ${place}, in which nothing was changed: Agenda must not run these jobs any more.`
        : `Nothing was written. With --execute this is taken over from ${place}: stop Agenda before.`,
    );
  } finally {
    await closeMongoClients();
  }
}

async function factoriesIn(
  module: string | undefined,
  config: Config,
): Promise<Readonly<Record<string, JobFactory>>> {
  if (module === undefined) return {};
  return Object.fromEntries(readRegistrations(factoriesOf(await loadJobCode(module), config)));
}

async function requireIndexes(collections: Parameters<typeof findWrongIndexes>[0]): Promise<void> {
  const { missing } = await findWrongIndexes(collections);
  if (missing.length === 0) return;
  throw new CommandFailure(exitCode.failed, `Indexes are missing: run remote-processor ensure-indexes`, {
    code: 'index_missing',
  });
}
