import { types } from 'node:util';
import type { BulkWriteResult } from 'mongodb';

/**
 * Reads errors of the driver. Distinguishes errors by their names, codes and labels, never by their classes, since a project
 * may hold several copies or versions of the driver.
 */

/** The server's code for an operation that exceeded its `maxTimeMS`. The time includes waiting for a lock. */
export const MAX_TIME_EXPIRED = 50;

/** Returns the server's code of an error, or undefined if the error does not come from a server. */
export function serverCode(error: unknown): number | undefined {
  const code = fieldOf(error, 'code');
  return typeof code === 'number' ? code : undefined;
}

export function hasServerCode(error: unknown, ...codes: readonly number[]): boolean {
  const code = serverCode(error);
  return code !== undefined && codes.includes(code);
}

/** Returns Node's code of a socket error, such as `EPIPE`, or undefined. */
export function systemCode(error: unknown): string | undefined {
  const code = fieldOf(error, 'code');
  return typeof code === 'string' ? code : undefined;
}

export function nameOf(error: unknown): string | undefined {
  const name = fieldOf(error, 'name');
  return typeof name === 'string' ? name : undefined;
}

/**
 * Returns whether the driver or the server gave the error this label. The driver's version decides whether labels are an array
 * or a set.
 */
export function hasLabel(error: unknown, label: string): boolean {
  const labels = fieldOf(error, 'errorLabels') ?? fieldOf(error, 'errorLabelSet');
  try {
    return Array.isArray(labels) ? labels.includes(label) : types.isSet(labels) && labels.has(label);
  } catch {
    return false;
  }
}

/** Returns whether a bulk write failed in part. Its `result` tells which statements were carried out. */
export function isBulkWriteError(error: unknown): error is { readonly result: BulkWriteResult } {
  return nameOf(error) === 'MongoBulkWriteError';
}

/** Returns a field of anything thrown. Never throws, although a getter may throw, and a proxy may throw at any access. */
export function fieldOf(error: unknown, name: PropertyKey): unknown {
  try {
    return typeof error === 'object' && error !== null ? Reflect.get(error, name) : undefined;
  } catch {
    return undefined;
  }
}
