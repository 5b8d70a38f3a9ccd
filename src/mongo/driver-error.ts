import type { BulkWriteResult } from 'mongodb';

/**
 * What may be read from an error of the driver. A project may hold several copies of it, or another version: so errors
 * are told apart by their names, codes and labels, never by their classes.
 */

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

/** Whether the driver or the server gave the error this label. */
export function hasLabel(error: unknown, label: string): boolean {
  const labels = fieldOf(error, 'errorLabels');
  return Array.isArray(labels) && labels.includes(label);
}

/** By which the driver says that a bulk write did not do all it should, and what it did. */
export function isBulkWriteError(error: unknown): error is { readonly result: BulkWriteResult } {
  return nameOf(error) === 'MongoBulkWriteError';
}

/** A field of whatever was thrown. */
export function fieldOf(error: unknown, name: string): unknown {
  return typeof error === 'object' && error !== null && name in error ? Reflect.get(error, name) : undefined;
}
