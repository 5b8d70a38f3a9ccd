import { isError } from './job/failure.js';

/*
 * A project may hold two copies of this package, and a class of one is not that of the other. So a class of ours is known
 * by a brand, which is the same in all copies, and which nothing that comes as JSON can have.
 */

const BRAND = Symbol.for('remote-processor.brand');

/** The brand of what has no more special one. */
export const ANY_KIND = 'error';

interface Class<Instance extends object = object> {
  readonly prototype: Instance;
}

/** Marks the errors that a class makes, and makes `instanceof` go by the mark. A class of a user that extends it inherits it. */
export function brand(kind: Class, name: string): void {
  Object.defineProperty(kind.prototype, BRAND, { value: name });
  Object.defineProperty(kind, Symbol.hasInstance, { value: isInstance });
}

/** Whether an error is of this class, in whichever copy of this package it was made. Never throws. */
export function isKind<Kind extends object>(error: unknown, { prototype }: Class<Kind>): error is Kind {
  const [found, wanted] = [brandOf(error), brandOf(prototype)];
  return found !== undefined && (found === wanted || wanted === ANY_KIND);
}

/** What an error is marked with; undefined when it is none of ours. Never throws: whatever was thrown may be asked. */
export function brandOf(error: unknown): string | undefined {
  try {
    const name: unknown = isError(error) ? Reflect.get(error, BRAND) : undefined;
    return typeof name === 'string' ? name : undefined;
  } catch {
    return undefined; // A proxy, or a getter, that throws.
  }
}

/** A class of a user that extends one of ours is not known by the mark that it inherits, but by itself. */
function isInstance(this: Class, value: unknown): boolean {
  return Object.hasOwn(this.prototype, BRAND)
    ? isKind(value, this)
    : Function.prototype[Symbol.hasInstance].call(this, value);
}
