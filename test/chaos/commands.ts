import type { Document } from 'mongodb';
import { collectionNames } from '../collection-names.js';

/** Returns whether a command is the update by which a worker takes one job or several. */
export function isClaim(command: Document): boolean {
  return updateOfJobs(command).status === 'processing';
}

/** Returns whether a command is the update by which a worker renews its leases. */
export function isHeartbeat(command: Document): boolean {
  return 'lease.expires' in updateOfJobs(command);
}

/** Returns whether a command is an update that ends attempts. It is known by what it sets, not by its filter. */
export function isOutcome({ findAndModify, update, updates = [] }: Document): boolean {
  const many = update === collectionNames.jobs ? updates.map(({ u }: Document) => u) : [];
  const stages: readonly Document[] = [findAndModify === collectionNames.jobs ? update : [], ...many].flat();
  return stages.some((stage) => stage.$set?.lastToken !== undefined);
}

/** Returns whether a command is the query by which a worker learns which jobs it took. */
export function isReadBack({ find, filter }: Document): boolean {
  return find === collectionNames.jobs && filter?.['lease.token'] !== undefined;
}

/** Returns what an update of jobs sets, in its first stage if it has several, or nothing for any other command. */
function updateOfJobs({ findAndModify, update, updates }: Document): Document {
  const change =
    (findAndModify === collectionNames.jobs && update) ||
    (update === collectionNames.jobs && updates?.[0]?.u);
  const [stage] = Array.isArray(change) ? change : [change || undefined];
  return stage?.$set ?? {};
}
