import * as z from 'zod';

/** Role of a caller of the HTTP API: `read` only looks, `write` also adds and cancels jobs, `admin` does anything. */
export type Role = 'read' | 'write' | 'admin';

/** Roles from least to most powerful. */
export const roles = ['read', 'write', 'admin'] as const satisfies readonly Role[];

/** The least role that may add jobs of a kind. `read` is never enough. */
export type AddRole = Exclude<Role, 'read'>;

/** The `addRole` of a kind of job that does not set one. */
export const DEFAULT_ADD_ROLE: AddRole = 'write';

export const addRoleSchema = z.enum(roles).exclude(['read']);

/** Role of the caller. Code passes none, because it may do anything. */
export const callerRoleSchema = z.enum(roles).optional();

/** Returns whether a role includes the required one. No role includes an unknown one, which the database may hold. */
export function suffices(held: Role, required: Role): boolean {
  const rank = roles.indexOf(required);
  return rank !== -1 && roles.indexOf(held) >= rank;
}
