import { types } from 'node:util';
import type { BulkWriteResult } from 'mongodb';

/**
 * What may be read from an error of the driver. A project may hold several copies of it, or another version: so errors
 * are told apart by their names, codes and labels, never by their classes.
 */

/** The server's code for an operation that took longer than its `maxTimeMS`, or waited so long for a lock. */
export const MAX_TIME_EXPIRED = 50;

/** The server's code of an error; undefined for one that did not come from a server. */
export function serverCode(error: unknown): number | undefined {
  const code = fieldOf(error, 'code');
  return typeof code === 'number' ? code : undefined;
}

export function hasServerCode(error: unknown, ...codes: readonly number[]): boolean {
  const code = serverCode(error);
  return code !== undefined && codes.includes(code);
}

/** What Node.js calls an error of a socket, such as `EPIPE`. */
export function systemCode(error: unknown): string | undefined {
  const code = fieldOf(error, 'code');
  return typeof code === 'string' ? code : undefined;
}

export function nameOf(error: unknown): string | undefined {
  const name = fieldOf(error, 'name');
  return typeof name === 'string' ? name : undefined;
}

/** Whether the driver or the server gave the error this label: in a list or a set, as its version does it. */
export function hasLabel(error: unknown, label: string): boolean {
  const labels = fieldOf(error, 'errorLabels') ?? fieldOf(error, 'errorLabelSet');
  try {
    return Array.isArray(labels) ? labels.includes(label) : types.isSet(labels) && labels.has(label);
  } catch {
    return false;
  }
}

/** By which the driver says that a bulk write did not do all it should, and what it did. */
export function isBulkWriteError(error: unknown): error is { readonly result: BulkWriteResult } {
  return nameOf(error) === 'MongoBulkWriteError';
}

/** A field of whatever was thrown. Never throws: a getter may, and a proxy at any question. */
export function fieldOf(error: unknown, name: PropertyKey): unknown {
  try {
    return typeof error === 'object' && error !== null ? Reflect.get(error, name) : undefined;
  } catch {
    return undefined;
  }
}
