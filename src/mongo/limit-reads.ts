import { types } from 'node:util';
import type { Collection, Document } from 'mongodb';
import { ReadTimeoutError } from '../errors.js';
import { hasServerCode, MAX_TIME_EXPIRED } from './driver-error.js';

/**
 * The longest time of a read on the server. Long enough for any read by index, and well within the 29 s of the HTTP
 * function. Also below the driver's socket timeout, after which a read would continue and be made a second time.
 */
export const MAX_READ_MS = 15_000;

/** Methods that read, with the position of their options. */
const reads: ReadonlyMap<string | symbol, number> = new Map([
  ['find', 1],
  ['findOne', 1],
  ['aggregate', 1],
  ['countDocuments', 1],
  ['distinct', 2],
]);

/**
 * Returns the collection with reads limited to `MAX_READ_MS`, unless they have their own `maxTimeMS`. A longer read
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
        // An omitted filter stays omitted, so the options are never taken for one.
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

/** Returns a handler for cursors whose errors are explained, however they are read. */
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
        if (result === target) return proxy; // Methods such as `sort` and `map` can be chained.
        return types.isPromise(result) ? result.catch(explained) : result;
      };
    },
  };
}
