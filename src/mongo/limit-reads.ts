import { types } from 'node:util';
import type { Collection, Document } from 'mongodb';
import { ReadTimeoutError } from '../errors.js';
import { hasServerCode, MAX_TIME_EXPIRED } from './driver-error.js';

/**
 * Maximum time of a read on the server. It is long enough for any read by index, and well within the 29 s of the HTTP function.
 * It is also below the driver's socket timeout. After that timeout, the driver would read again while the server still reads.
 */
export const MAX_READ_MS = 15_000;

/** Methods that read, with the index of their argument `options`. */
const reads: ReadonlyMap<string | symbol, number> = new Map([
  ['find', 1],
  ['findOne', 1],
  ['aggregate', 1],
  ['countDocuments', 1],
  ['distinct', 2],
]);

/**
 * Returns the collection with reads limited to `MAX_READ_MS`, unless they have their own `maxTimeMS`. A read that takes longer
 * throws ReadTimeoutError. The driver has no such option for a collection.
 */
export function limitReads<Schema extends Document>(collection: Collection<Schema>): Collection<Schema> {
  return new Proxy(collection, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name);
      const position = reads.get(name);
      if (typeof method !== 'function' || position === undefined) return method;
      return (...given: unknown[]) => {
        const options = { maxTimeMS: MAX_READ_MS, ...Object(given[position]) };
        // Fills omitted arguments with undefined, so that the options are never taken for a filter.
        const before = Array.from({ length: position }, (_, index) => given[index]);
        const result: unknown = Reflect.apply(method, target, [...before, options]);
        const explained = explain(collection.collectionName);
        return types.isPromise(result)
          ? result.catch(explained)
          : new Proxy(Object(result), cursor(explained));
      };
    },
  });
}

type Explain = (error: unknown) => never;

function explain(collection: string): Explain {
  return (error) => {
    throw hasServerCode(error, MAX_TIME_EXPIRED) ? new ReadTimeoutError(collection, { cause: error }) : error;
  };
}

/** Returns a proxy handler for a cursor. It explains the cursor's errors, whichever method reads it. */
function cursor(explained: Explain): ProxyHandler<object> {
  return {
    get(target, name, proxy) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      if (name === Symbol.asyncIterator)
        return async function* iterate() {
          try {
            yield* Reflect.apply(member, target, []);
          } catch (error) {
            explained(error);
          }
        };
      return (...args: unknown[]) => {
        const result: unknown = Reflect.apply(member, target, args);
        if (result === target) return proxy; // Methods such as `sort` and `map` return the cursor.
        return types.isPromise(result) ? result.catch(explained) : result;
      };
    },
  };
}
