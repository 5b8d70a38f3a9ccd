import * as z from 'zod';
import { callerRoleSchema, type Role } from './role.js';

/** On whose behalf something is done. */
export interface CallerOptions {
  /** Of somebody that it is done for: refused when the `addRole` of its kind of job is above it. Default: code may all. */
  readonly callerRole?: Role | undefined;
}

export const callerOptionsSchema = z.strictObject({ callerRole: callerRoleSchema });
