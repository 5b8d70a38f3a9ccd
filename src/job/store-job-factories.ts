import type { AnyBulkWriteOperation, Collection } from 'mongodb';
import { ForeignDocumentsError } from '../errors.js';
import type { Logger } from '../log.js';
import type { JobFactoryDocument } from './factory-document.js';

/**
 * Stores factories for producers without their code. Reads once, and writes only factories whose hash has changed. A
 * lower version never replaces a higher one, whichever is stored first. Between equal versions the last one wins, which
 * is logged.
 *
 * @throws ForeignDocumentsError if a foreign document has the name of a factory. Nothing is written then
 */
export async function storeJobFactories(
  jobFactories: Collection<JobFactoryDocument>,
  documents: readonly JobFactoryDocument[],
  log: Logger,
): Promise<void> {
  const ids = documents.map(({ _id }) => _id);
  const projection = { hash: 1, version: 1 };
  const found = await jobFactories.find({ _id: { $in: ids } }, { projection }).toArray();
  const foreign = found.find(({ hash }) => typeof hash !== 'string');
  if (foreign)
    throw new ForeignDocumentsError([{ collection: jobFactories.collectionName, id: foreign._id }]);
  const stored = new Map(found.map((document) => [document._id, document]));
  const isNew = ({ _id, hash }: JobFactoryDocument) => stored.get(_id)?.hash !== hash;
  const changed = documents.filter(isNew).filter((document) => isToWrite(document, stored, log));
  if (changed.length === 0) return;
  await jobFactories.bulkWrite(changed.map(replaceUnlessNewer), { ordered: false });
}

type Stored = Pick<JobFactoryDocument, 'hash' | 'version'>;

/** Checks before the write, to save needless writes and to log. The write itself decides. */
function isToWrite(
  { _id: jobName, hash, version = 0 }: JobFactoryDocument,
  all: ReadonlyMap<string, Stored>,
  log: Logger,
): boolean {
  const stored = all.get(jobName);
  if (stored?.version === undefined || stored.version < version) return true;
  const fields = { jobName, version, storedVersion: stored.version, hash, storedHash: stored.hash };
  if (stored.version > version) {
    log.debug('A newer version of this job is stored, and stays', fields);
    return false;
  }
  log.warn(
    'Two definitions of a job have the same version: the later one is stored. Raise its version',
    fields,
  );
  return true;
}

/** Returns an update that contains the condition. In the filter, it would make the upsert insert a second document. */
function replaceUnlessNewer({
  _id,
  ...content
}: JobFactoryDocument): AnyBulkWriteOperation<JobFactoryDocument> {
  const isNewer = { $gt: [{ $ifNull: ['$version', 0] }, content.version ?? 0] };
  const replacement = { $mergeObjects: [{ _id: '$_id' }, { $literal: content }] };
  const update = [{ $replaceWith: { $cond: [isNewer, '$$ROOT', replacement] } }];
  return { updateOne: { filter: { _id }, update, upsert: true } };
}
