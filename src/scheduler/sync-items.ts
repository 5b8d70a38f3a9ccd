import type { Collection, Db } from 'mongodb';
import { ConflictError } from '../errors.js';
import type { JobRegistry } from '../job/registry.js';
import type { Collections } from '../mongo/collections.js';
import { serverTime } from '../mongo/server-time.js';
import { deactivated, redefine } from './activate.js';
import { newItem } from './add-item.js';
import { changeItem } from './change-item.js';
import { type Declaration, type DeclaredScheduler, parseDeclarations } from './declaration.js';
import { requireItem } from './find-items.js';
import { insertItem } from './insert-item.js';
import type { SchedulerItemDocument } from './item.js';

/** The ids of declared items, by what was done; those that were as declared are not among them. */
export interface SchedulerSync {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  /** They are declared no more. */
  readonly deactivated: readonly string[];
  /** Left as they are, since somebody else made an item of that id: by hand, or declared under another name. */
  readonly conflicting: readonly string[];
}

type Done = keyof SchedulerSync | 'none';

/** Of an item that was declared once. No declaration has this hash: declared again, it is changed. */
const NO_MORE = '';

/**
 * Brings the items that `by` declares to what is declared now. Several processes may do so at once: each item is
 * changed in a transaction of its own, that begins with a look at what it was declared as.
 */
export async function syncItems(
  db: Db,
  collections: Collections,
  registry: JobRegistry,
  by: string,
  declared: readonly DeclaredScheduler[],
): Promise<SchedulerSync> {
  const now = await serverTime(db);
  const declarations = await parseDeclarations(registry, declared, now);
  const stored = await findDeclared(collections.scheduler, by, declarations);
  const done: [string, Done][] = [];
  for (const declaration of declarations) {
    const item = stored.get(declaration.id);
    done.push([declaration.id, await bring(db, collections, by, declaration, item, now)]);
    stored.delete(declaration.id);
  }
  for (const id of stored.keys()) done.push([id, await giveUp(db, collections, by, id)]);
  const idsOf = (kind: Done) => done.filter(([, what]) => what === kind).map(([id]) => id);
  return {
    added: idsOf('added'),
    changed: idsOf('changed'),
    deactivated: idsOf('deactivated'),
    conflicting: idsOf('conflicting'),
  };
}

/** All that are declared now or were declared before, by their ids. */
async function findDeclared(
  scheduler: Collection<SchedulerItemDocument>,
  by: string,
  declarations: readonly Declaration[],
): Promise<Map<string, SchedulerItemDocument>> {
  const ids = declarations.map(({ id }) => id);
  const found = await Promise.all([
    scheduler.find({ 'declared.by': by, 'declared.hash': { $ne: NO_MORE } }).toArray(),
    scheduler.find({ _id: { $in: ids } }).toArray(),
  ]);
  return new Map(found.flat().map((item) => [item._id, item]));
}

async function bring(
  db: Db,
  collections: Collections,
  by: string,
  declaration: Declaration,
  stored: SchedulerItemDocument | undefined,
  now: Date,
): Promise<Done> {
  const { id, hash } = declaration;
  if (stored === undefined) {
    if (await insert(collections.scheduler, by, declaration, now)) return 'added';
    return bring(db, collections, by, declaration, await requireItem(collections.scheduler, id), now);
  }
  if (stored.declared?.by !== by) return 'conflicting';
  if (stored.declared.hash === hash) return 'none';
  await changeItem(db, collections, id, (item, at) =>
    item.declared?.by !== by || item.declared.hash === hash
      ? undefined
      : { ...redefine(item, declaration.definition, declaration.active, at), declared: { by, hash } },
  );
  return 'changed';
}

/** False when another process was faster. */
async function insert(
  scheduler: Collection<SchedulerItemDocument>,
  by: string,
  declaration: Declaration,
  now: Date,
): Promise<boolean> {
  const { id, active, definition, hash } = declaration;
  const item = redefine(newItem(id, definition), definition, active, now);
  try {
    await insertItem(scheduler, { ...item, declared: { by, hash } });
    return true;
  } catch (error) {
    if (error instanceof ConflictError) return false;
    throw error;
  }
}

async function giveUp(db: Db, collections: Collections, by: string, id: string): Promise<Done> {
  await changeItem(db, collections, id, (item) =>
    item.declared?.by !== by || item.declared.hash === NO_MORE
      ? undefined
      : { ...deactivated(item), declared: { by, hash: NO_MORE } },
  );
  return 'deactivated';
}
