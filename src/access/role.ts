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

/** Role of the caller. Code, which may do anything, passes none. */
export const callerRoleSchema = z.enum(roles).optional();

/**
 * Returns whether a role includes the required one. An unknown required role, as from the database, is never included.
 */
export function suffices(held: Role, required: Role): boolean {
  const rank = roles.indexOf(required);
  return rank !== -1 && roles.indexOf(held) >= rank;
}
