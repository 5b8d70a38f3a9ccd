import { types } from 'node:util';
import type { Collection, Document } from 'mongodb';
import { ReadTimeoutError } from '../errors.js';
import { hasServerCode, MAX_TIME_EXPIRED } from './driver-error.js';

/**
 * What a read may take of the server's time: long enough for any that an index serves; well within the 29 s of the HTTP
 * function, and below the driver's socket timeout, after which the read goes on, and is made a second time.
 */
export const MAX_READ_MS = 15_000;

/** The methods that read, and which of their arguments are the options. */
const reads: ReadonlyMap<string | symbol, number> = new Map([
  ['find', 1],
  ['findOne', 1],
  ['aggregate', 1],
  ['countDocuments', 1],
  ['distinct', 2],
]);

/**
 * The collection, whose reads end after `MAX_READ_MS` unless they have a `maxTimeMS` of their own. They throw
 * ReadTimeoutError then. The driver has no such option for a collection.
 */
export function limitReads<Schema extends Document>(collection: Collection<Schema>): Collection<Schema> {
  return new Proxy(collection, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name);
      const position = reads.get(name);
      if (typeof method !== 'function' || position === undefined) return method;
      return (...given: unknown[]) => {
        const options = { maxTimeMS: MAX_READ_MS, ...Object(given[position]) };
        // A filter that is left out stays left out: the options are never taken for one.
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

/** A cursor whose errors are explained, however it is read. */
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
        if (result === target) return proxy; // Such as `sort` and `map`, which can be followed by others.
        return types.isPromise(result) ? result.catch(explained) : result;
      };
    },
  };
}
