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

/** Returns whether a command is the query by which a worker learns which jobs it took. */
export function isReadBack({ find, filter }: Document): boolean {
  return find === collectionNames.jobs && filter?.['lease.token'] !== undefined;
}

/** Returns what the first stage of an update of jobs sets, or nothing for any other command. */
function updateOfJobs({ findAndModify, update, updates }: Document): Document {
  const [stage] =
    (findAndModify === collectionNames.jobs && update) ||
    (update === collectionNames.jobs && updates?.[0]?.u) ||
    [];
  return stage?.$set ?? {};
}
