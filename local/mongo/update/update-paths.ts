import { isIndex } from '../bson/path.js';
import { CommandError } from '../errors.js';

/** Compares paths in the order in which MongoDB applies changes: array indexes by number, names by their bytes. */
export function comparePaths(a: readonly string[], b: readonly string[]): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const order = compareParts(a[i] ?? '', b[i] ?? '');
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function compareParts(a: string, b: string): number {
  if (isIndex(a) && isIndex(b)) return Number(a) - Number(b);
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Throws 40 if one path is the beginning of another. */
export function requireNoConflicts(paths: readonly (readonly string[])[]): void {
  const seen = new Map<string, boolean>();
  for (const path of paths) {
    const whole = path.join('.');
    const prefixes = path.map((_, i) => path.slice(0, i + 1).join('.'));
    const conflict = seen.has(whole) ? whole : prefixes.find((prefix) => seen.get(prefix) === true);
    if (conflict !== undefined) {
      throw new CommandError(40, `Updating the path '${whole}' would create a conflict at '${conflict}'`);
    }
    for (const prefix of prefixes) seen.set(prefix, prefix === whole);
  }
}
