import type { Collection, Db } from 'mongodb';
import { isKind } from '../brand.js';
import { NotFoundError } from '../errors.js';
import type { JobRegistry } from '../job/registry.js';
import type { Logger } from '../log.js';
import { byId } from '../mongo/by-index.js';
import { serverTime } from '../mongo/server-time.js';
import { DEFAULT_NAME } from '../processor-name.js';
import { callTimeFrom, deactivated, redefine } from './activate.js';
import { newItem } from './add-item.js';
import { changeItem } from './change-item.js';
import { type Declaration, type DeclaredScheduler, parseDeclarations } from './declaration.js';
import { insertItem } from './insert-item.js';
import type { SchedulerItemDocument } from './item.js';
import { ourItem, type SchedulerCollections } from './scheduler-collection.js';

/** Ids of declared items, grouped by the change. Items that needed no change are left out. */
export interface SchedulerSync {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  /** Items that are no longer declared. */
  readonly deactivated: readonly string[];
  /** Items left unchanged because they were made by hand, or are declared under another name. */
  readonly conflicting: readonly string[];
}

type Done = keyof SchedulerSync | 'none';

const SHARED_NAME = `Scheduler items were deactivated, for this processor declares them no more. Its name is the default one, '${DEFAULT_NAME}': if another program declared them, each needs a name of its own, or they switch each other's items off`;

/** The hash of an item that is no longer declared. No declaration has this hash. */
const NO_MORE = '';

/**
 * Brings the items that `by` declares in line with their declarations. Several processes may do this at once. Each item
 * is changed in its own transaction, which begins by checking the item's last declaration.
 */
export async function syncItems(
  db: Db,
  collections: SchedulerCollections,
  registry: JobRegistry,
  by: string,
  declared: readonly DeclaredScheduler[],
  log: Logger,
): Promise<SchedulerSync> {
  const now = await serverTime(db);
  const declarations = await parseDeclarations(registry, declared, now);
  const stored = await findDeclared(collections.scheduler, by, declarations);
  const done: [string, Done][] = [];
  for (const declaration of declarations) {
    const { id, hash } = declaration;
    const item = stored.get(id);
    stored.delete(id);
    const standing = item && standingOf(item, by, hash);
    const isToChange = standing === undefined || standing === 'changed';
    done.push([id, isToChange ? await bring(db, collections, registry, by, declaration, now) : standing]);
  }
  for (const id of stored.keys()) done.push([id, await giveUp(db, collections, registry, by, id)]);
  const idsOf = (kind: Done) => done.filter(([, what]) => what === kind).map(([id]) => id);
  if (by === DEFAULT_NAME && idsOf('deactivated').length > 0)
    log.warn(SHARED_NAME, { items: idsOf('deactivated') });
  return {
    added: idsOf('added'),
    changed: idsOf('changed'),
    deactivated: idsOf('deactivated'),
    conflicting: idsOf('conflicting'),
  };
}

/** Returns all items that are or were declared, by id. */
async function findDeclared(
  scheduler: Collection<SchedulerItemDocument>,
  by: string,
  declarations: readonly Declaration[],
): Promise<Map<string, SchedulerItemDocument>> {
  const ids = declarations.map(({ id }) => id);
  const found = await Promise.all([
    scheduler.find({ 'declared.by': by, 'declared.hash': { $ne: NO_MORE } }).toArray(),
    scheduler.find({ ...ourItem, _id: { $in: ids } }, byId).toArray(),
  ]);
  return new Map(found.flat().map((item) => [item._id, item]));
}

/**
 * Adds or changes an item. Other processes or people may add or remove it meanwhile. Jobs that a former item of this id made
 * are not made again, since the new item moves past them.
 */
async function bring(
  db: Db,
  collections: SchedulerCollections,
  registry: JobRegistry,
  by: string,
  declaration: Declaration,
  now: Date,
): Promise<Done> {
  const { id, hash, definition, active } = declaration;
  const redefined = (item: SchedulerItemDocument, at: Date) => redefine(item, definition, active, at);
  let added = newItem(id, definition);
  for (;;) {
    const first = callTimeFrom(added, now);
    const inserted = await insertItem(
      collections,
      { ...redefined(added, now), declared: { by, hash } },
      first,
    );
    switch (inserted.kind) {
      case 'inserted':
        return 'added';
      case 'hadItsJob':
        added = { ...added, lastCallTime: first, lastJobId: inserted.jobId };
        break;
      case 'idTaken': {
        const done = await change(db, collections, registry, id, by, hash, redefined);
        if (done !== 'gone') return done;
        if (await isForeign(collections.scheduler, id)) return 'conflicting';
      }
    }
  }
}

/** Returns whether the document with this id is foreign. Such a document never becomes ours. */
async function isForeign(scheduler: Collection<SchedulerItemDocument>, id: string): Promise<boolean> {
  const options = { projection: { _id: 1 }, ...byId } as const;
  return (await scheduler.findOne({ _id: id, $nor: [ourItem] }, options)) !== null;
}

async function giveUp(
  db: Db,
  collections: SchedulerCollections,
  registry: JobRegistry,
  by: string,
  id: string,
): Promise<Done> {
  const done = await change(db, collections, registry, id, by, NO_MORE, deactivated);
  return done === 'changed' ? 'deactivated' : 'none';
}

type Standing = 'none' | 'changed' | 'conflicting';

async function change(
  db: Db,
  collections: SchedulerCollections,
  registry: JobRegistry,
  id: string,
  by: string,
  hash: string,
  changed: (item: SchedulerItemDocument, now: Date) => SchedulerItemDocument,
): Promise<Standing | 'gone'> {
  let standing: Standing = 'none';
  try {
    await changeItem(db, collections, registry, id, (item, now) => {
      standing = standingOf(item, by, hash);
      return standing === 'changed' ? { ...changed(item, now), declared: { by, hash } } : undefined;
    });
    return standing;
  } catch (error) {
    if (isKind(error, NotFoundError)) return 'gone';
    throw error;
  }
}

/**
 * Returns the standing of an item: it is as declared, has to change, or belongs to somebody else. In the last case, a person
 * made it, or a processor with another name declares it.
 */
function standingOf({ declared }: SchedulerItemDocument, by: string, hash: string): Standing {
  if (declared === undefined) return 'conflicting';
  if (declared.by !== by) return declared.hash === NO_MORE ? 'changed' : 'conflicting';
  return declared.hash === hash ? 'none' : 'changed';
}
