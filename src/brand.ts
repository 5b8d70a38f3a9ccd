import { isError } from './is-error.js';

/*
 * A project may hold two copies of this package, with different classes. So our classes are recognized by a brand that all
 * copies share. A value parsed from JSON cannot have it.
 */

const BRAND = Symbol.for('remote-processor.brand');

/** The brand of the base class. It matches all kinds. */
export const ANY_KIND = 'error';

interface Class<Instance extends object = object> {
  readonly prototype: Instance;
}

/** Marks the errors of a class, and makes `instanceof` check the mark. A user's class that extends it inherits the mark. */
export function brand(kind: Class, name: string): void {
  Object.defineProperty(kind.prototype, BRAND, { value: name });
  Object.defineProperty(kind, Symbol.hasInstance, { value: isInstance });
}

/** Returns whether an error is of this class, whichever copy of this package made it. Never throws. */
export function isKind<Kind extends object>(error: unknown, { prototype }: Class<Kind>): error is Kind {
  const [found, wanted] = [brandOf(error), brandOf(prototype)];
  return found !== undefined && (found === wanted || wanted === ANY_KIND);
}

/**
 * Returns the brand of an error, or undefined if it is not an error of this package. Never throws, whatever was thrown.
 */
export function brandOf(error: unknown): string | undefined {
  try {
    const name: unknown = isError(error) ? Reflect.get(error, BRAND) : undefined;
    return typeof name === 'string' ? name : undefined;
  } catch {
    return undefined; // A proxy or getter that throws.
  }
}

/** Recognizes our classes by their mark. Recognizes a user's class that extends one by its prototype. */
function isInstance(this: Class, value: unknown): boolean {
  return Object.hasOwn(this.prototype, BRAND)
    ? isKind(value, this)
    : Function.prototype[Symbol.hasInstance].call(this, value);
}
