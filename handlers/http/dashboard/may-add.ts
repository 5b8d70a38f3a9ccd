import { type AddRole, DEFAULT_ADD_ROLE } from '../../../src/access/role.js';
import type { RemoteProcessor } from '../../../src/index.js';
import type { Session } from '../session/session.js';
import { may } from './require-session.js';

/** Returns whether the user may add jobs of this name. */
export async function mayAddJob(
  processor: RemoteProcessor,
  session: Session,
  jobName: string,
): Promise<boolean> {
  return mayAdd(session, await processor.factories.get(jobName));
}

/** Returns a function that tells whether the user may add jobs of a name, given all known kinds of jobs. */
export function mayAddByName(
  session: Session,
  factories: Readonly<Record<string, { readonly addRole: AddRole }>>,
): (jobName: string) => boolean {
  const known = new Map(Object.entries(factories));
  return (jobName) => mayAdd(session, known.get(jobName));
}

function mayAdd(session: Session, known: { readonly addRole: AddRole } | undefined): boolean {
  return may(session, known?.addRole ?? DEFAULT_ADD_ROLE);
}
