import type { Db, Document, IndexDescription } from 'mongodb';
import { z } from 'zod';
import type { Storage } from './contenders/contender.js';
import { copyJob } from './copy-job.js';

/** The content that a library puts into an empty database: its indexes, the documents it needs, and one job. */
export interface Blueprint {
  readonly collections: readonly {
    readonly name: string;
    readonly indexes: readonly IndexDescription[];
    readonly documents: readonly Document[];
  }[];
}

const indexSchema = z.looseObject({ name: z.string(), key: z.record(z.string(), z.literal([1, -1])) });

/** Reads a database that a library has just prepared. */
export async function readBlueprint(db: Db): Promise<Blueprint> {
  const collections = await db.collections();
  return {
    collections: await Promise.all(
      collections.map(async (collection) => {
        const { collectionName: name } = collection;
        const indexes = z.array(indexSchema).parse(await collection.indexes());
        return {
          name,
          indexes: indexes.filter((index) => index.name !== '_id_').map(({ v: _, ...index }) => index),
          documents: await collection.find().toArray(),
        };
      }),
    ),
  };
}

/** Builds a database from a blueprint, with `jobs` jobs. */
export async function build(db: Db, blueprint: Blueprint, storage: Storage, jobs: number): Promise<void> {
  for (const { name, indexes, documents } of blueprint.collections) {
    const isEmpty = documents.length === 0 || (name === storage.collection && jobs === 0);
    if (indexes.length > 0) await db.collection(name).createIndexes([...indexes]);
    if (!isEmpty) await db.collection(name).insertMany([...documents]);
  }
  if (jobs > 0) await copyJob(db, storage, jobs - 1);
}
