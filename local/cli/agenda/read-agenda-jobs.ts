import type { Collection, Document } from 'mongodb';
import { agendaJobSchema } from './agenda-job.js';

/** Documents per batch. A list of more than 1000 jobs is added by inserts, which cost the database less per job. */
const BATCH = 2000;

/** Yields the documents of Agenda's collection in batches. Each document has only the fields that an import reads. */
export async function* readAgendaJobs(
  collection: Collection,
  names: readonly string[] | undefined,
): AsyncGenerator<readonly Document[]> {
  const filter = names === undefined ? {} : { name: { $in: [...names] } };
  let batch: Document[] = [];
  for await (const document of collection.find(filter, { projection, batchSize: BATCH })) {
    batch.push(document);
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

const projection = Object.fromEntries(Object.keys(agendaJobSchema.shape).map((name) => [name, 1]));
