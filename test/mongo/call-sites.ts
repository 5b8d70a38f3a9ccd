import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { Collection } from 'mongodb';

/** The methods that search a collection. */
const searching = [
  'aggregate',
  'bulkWrite',
  'countDocuments',
  'deleteMany',
  'deleteOne',
  'distinct',
  'find',
  'findOne',
  'findOneAndDelete',
  'findOneAndReplace',
  'findOneAndUpdate',
  'replaceOne',
  'updateMany',
  'updateOne',
] as const;

/** Calls that are not statements, because they search one of our arrays or maps. */
const OTHER_FIND = /^\.find\(\s*(\(?[\w\s,{}:[\]]*\)?\s*=>|name\))/;
const OTHER_RECEIVER = /\b(registry|command)$/;

const callOfMethod = new RegExp(`\\.(${searching.join('|')})(<[^()]*>)?\\(`, 'g');

/** The embedded server, the testing kit, which queries nothing else, and what reads Agenda's collection. */
const ofNoDeployment = /^local\/(mongo|testing|cli\/agenda)\//;

/** Counts the calls of each method in each file of production code, by `file method`. */
export function callsInSource(): Map<string, number> {
  const calls = new Map<string, number>();
  for (const file of ['src', 'handlers', 'local'].flatMap(filesIn)) {
    if (!/\.tsx?$/.test(file) || ofNoDeployment.test(file)) continue;
    const text = readFileSync(file, 'utf8');
    for (const match of text.matchAll(callOfMethod)) {
      const before = text.slice(Math.max(0, match.index - 40), match.index);
      if (OTHER_FIND.test(text.slice(match.index)) || OTHER_RECEIVER.test(before)) continue;
      const call = `${file} ${match[1]}`;
      calls.set(call, (calls.get(call) ?? 0) + 1);
    }
  }
  return calls;
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file));
}

/** Notes which places in our code call the driver's collections, until it is stopped. */
export class CalledSites {
  readonly #places = new Map<string, Set<string>>();
  readonly #originals = searching.map((method) => [method, Collection.prototype[method]] as const);

  constructor() {
    for (const [method, original] of this.#originals) {
      const note = (stack: string) => this.#note(method, stack);
      Object.defineProperty(Collection.prototype, method, {
        configurable: true,
        writable: true,
        value: function called(this: Collection, ...args: unknown[]) {
          note(new Error().stack ?? '');
          return Reflect.apply(original, this, args);
        },
      });
    }
  }

  stop(): void {
    for (const [method, value] of this.#originals)
      Object.defineProperty(Collection.prototype, method, { configurable: true, writable: true, value });
  }

  /** The number of places in a file that called a method, as `callsInSource` counts them. */
  get calls(): Map<string, number> {
    return new Map([...this.#places].map(([call, places]) => [call, places.size]));
  }

  /** Notes the caller, found in the stack below the method and the limit on reads. Ignores the driver's own calls. */
  #note(method: string, stack: string): void {
    const [, , ...callers] = stack.split('\n');
    const caller = callers.find((frame) => !/limit-reads|Reflect\.apply|Proxy/.test(frame)) ?? '';
    const [, path, place] = /((?:file:\/\/)?\/[^():]+):(\d+:\d+)\)?$/.exec(caller.trim()) ?? [];
    if (path === undefined || place === undefined) return;
    const file = relative(process.cwd(), path.replace('file://', ''));
    if (!/^(src|handlers|local)\//.test(file)) return;
    const call = `${file} ${method}`;
    this.#places.set(call, (this.#places.get(call) ?? new Set()).add(place));
  }
}
