import * as z from 'zod';

/** What a caller of the HTTP API may do: `read` looks; `write` also adds and cancels jobs; `admin` does anything. */
export const roles = ['read', 'write', 'admin'] as const;
export type Role = (typeof roles)[number];

/** Who may add jobs of a kind: a caller that may add any at all, or `admin` alone. */
export type AddRole = Exclude<Role, 'read'>;

/** What a kind of job has that says nothing about it. */
export const DEFAULT_ADD_ROLE: AddRole = 'write';

export const addRoleSchema = z.enum(roles).exclude(['read']);

/** Of those who ask for something: code, which may do anything, gives none. */
export const callerRoleSchema = z.enum(roles).optional();

/** Whether this role may do what needs that one. What is required may come from the database: none but these suffice. */
export function suffices(held: Role, required: Role): boolean {
  const rank = roles.indexOf(required);
  return rank !== -1 && roles.indexOf(held) >= rank;
}
