import type { Collection, Document } from 'mongodb';
import { agendaJobSchema } from './agenda-job.js';

/** Documents per batch. More than 1000 jobs are added by inserts, which cost the database less than smaller lists. */
const BATCH = 2000;

/** Yields the documents of Agenda's collection in batches, each with only the fields that are read here. */
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
