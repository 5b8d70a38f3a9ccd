import * as z from 'zod';
import { callerRoleSchema, type Role } from './role.js';

/** The person for whom code makes a call, if any. */
export interface CallerOptions {
  /**
   * Role of that person. The call is refused if the job's `addRole` is higher. Default: no role, as for code that may do
   * anything.
   */
  readonly callerRole?: Role | undefined;
}

export const callerOptionsSchema = z.strictObject({ callerRole: callerRoleSchema });
