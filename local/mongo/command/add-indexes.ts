import { equal } from '../bson/compare.js';
import type { Doc } from '../bson/decode.js';
import { toNumber } from '../bson/to-number.js';
import { isDoc, isNumeric, typeOf } from '../bson/type-of.js';
import { CommandError } from '../errors.js';
import { compileFilter, type Environment } from '../query/evaluation.js';
import { truthy } from '../query/truth.js';
import type { Collection } from '../storage/collection.js';
import { holderOf } from '../storage/committed-view.js';
import { duplicateKey } from '../storage/conflicts.js';
import type { KeyField } from '../storage/index-keys.js';
import { recordOf } from '../storage/key-string.js';
import type { IndexDefinition, OrderedIndex } from '../storage/ordered-index.js';
import { decodeStored } from '../storage/stored.js';
import { docOf } from './fields.js';

const OPTIONS = new Set([
  'v',
  'key',
  'name',
  'unique',
  'sparse',
  'partialFilterExpression',
  'expireAfterSeconds',
  'hidden',
  'background',
  'ns',
]);
const REFUSED = [
  'collation',
  'wildcardProjection',
  'weights',
  'default_language',
  'language_override',
  'textIndexVersion',
  '2dsphereIndexVersion',
  'bits',
  'min',
  'max',
  'storageEngine',
  'clustered',
  'prepareUnique',
];
const MAX_FIELDS = 32;

/** Adds the indexes that do not exist yet, all or none. Calls `beforeNew` before it builds one. */
export function addIndexes(
  collection: Collection,
  specs: readonly unknown[],
  namespace: string,
  environment: Environment,
  beforeNew: () => void,
): void {
  if (specs.length === 0) throw new CommandError(2, 'Must specify at least one index to create');
  const definitions = specs.map((spec) => definitionOf(spec, environment));
  const added: string[] = [];
  try {
    for (const definition of definitions) {
      if (exists(collection, definition)) continue;
      beforeNew();
      added.push(definition.name);
      requireUnique(collection.addIndex(definition), collection, namespace);
    }
  } catch (error) {
    for (const name of added) collection.indexes.delete(name);
    throw error;
  }
}

/** Returns whether all of these indexes exist. Throws MongoDB's error for a conflict with another index. */
export function areThere(
  collection: Collection,
  specs: readonly unknown[],
  environment: Environment,
): boolean {
  return specs.every((spec) => exists(collection, definitionOf(spec, environment)));
}

/** Parses an index specification. Throws MongoDB's error for a malformed or unsupported one. */
function definitionOf(spec: unknown, environment: Environment): IndexDefinition {
  if (!isDoc(spec)) throw new CommandError(14, 'index specifications must be objects');
  checkOptions(spec);
  const key = docOf(spec, 'key');
  const partial = isDoc(spec.partialFilterExpression) ? spec.partialFilterExpression : undefined;
  const name = String(spec.name);
  const { v: _v, ns: _ns, background: _background, key: _key, name: _name, ...options } = spec;
  return {
    name,
    fields: fieldsOf(key),
    unique: isSet(spec.unique) || isIdKey(key),
    sparse: isSet(spec.sparse),
    partial: partial && { filter: partial, matches: compileFilter(partial, environment) },
    expireAfterSeconds: spec.expireAfterSeconds === undefined ? undefined : toNumber(spec.expireAfterSeconds),
    hidden: isSet(spec.hidden),
    spec: { v: 2, key, name, ...options },
  };
}

function isSet(value: unknown): boolean {
  return value !== undefined && truthy(value);
}

function isIdKey(key: Doc): boolean {
  return Object.keys(key).length === 1 && Object.hasOwn(key, '_id');
}

function checkOptions(spec: Doc): void {
  if (!isDoc(spec.key))
    throw new CommandError(9, "The 'key' field is a required property of an index specification");
  if (typeof spec.name !== 'string')
    throw new CommandError(9, "The 'name' field is a required property of an index specification");
  if (spec.name === '') throw new CommandError(67, 'index name cannot be empty');
  const refused = REFUSED.find((option) => spec[option] !== undefined);
  if (refused !== undefined)
    throw new CommandError(238, `the index option '${refused}' is not supported by this server`);
  const unknown = Object.keys(spec).find((option) => !OPTIONS.has(option));
  if (unknown !== undefined) {
    throw new CommandError(
      197,
      `The field '${unknown}' is not valid for an index specification. Specification: ${JSON.stringify(spec)}`,
    );
  }
  for (const option of ['unique', 'sparse', 'hidden', 'background']) requireBool(option, spec[option]);
  checkPartial(spec);
  checkExpiry(spec);
}

function requireBool(option: string, value: unknown): void {
  if (value === undefined || typeof value === 'boolean' || isNumeric(value)) return;
  throw new CommandError(
    14,
    `The field '${option}' has value ${option}: ${JSON.stringify(value)}, which is not convertible to bool`,
  );
}

function checkPartial(spec: Doc): void {
  if (spec.partialFilterExpression === undefined) return;
  if (!isDoc(spec.partialFilterExpression)) {
    throw new CommandError(
      14,
      `The field 'partialFilterExpression' must be an object, but got ${typeOf(spec.partialFilterExpression)}`,
    );
  }
  if (isSet(spec.sparse))
    throw new CommandError(67, 'cannot mix "partialFilterExpression" and "sparse" options');
  if (isIdKey(docOf(spec, 'key'))) throw new CommandError(67, '_id index cannot be a partial index');
}

function checkExpiry(spec: Doc): void {
  const { expireAfterSeconds } = spec;
  if (expireAfterSeconds === undefined) return;
  if (
    !isNumeric(expireAfterSeconds) ||
    !(toNumber(expireAfterSeconds) >= 0) ||
    toNumber(expireAfterSeconds) > 0x7fffffff
  ) {
    throw new CommandError(67, `TTL index 'expireAfterSeconds' option must be within an acceptable range`);
  }
  if (Object.keys(docOf(spec, 'key')).length > 1) {
    throw new CommandError(67, 'TTL indexes are single-field indexes, compound indexes do not support TTL');
  }
}

function fieldsOf(key: Doc): KeyField[] {
  const entries = Object.entries(key);
  if (entries.length === 0) throw new CommandError(67, 'Index keys cannot be empty.');
  if (entries.length > MAX_FIELDS)
    throw new CommandError(67, `Index key pattern too large: ${entries.length}`);
  return entries.map(([path, value]) => ({ path: checkedPath(path), direction: directionOf(value) }));
}

function checkedPath(path: string): string {
  if (path.split('.').includes('')) throw new CommandError(67, 'Index keys cannot contain an empty field.');
  if (path.startsWith('$') || path.includes('.$'))
    throw new CommandError(67, `Index key contains an illegal field name: field name starts with '$'.`);
  if (path.includes('$**') || path.split('.').includes('__proto__'))
    throw new CommandError(238, `an index on '${path}' is not supported by this server`);
  return path;
}

function directionOf(value: unknown): 1 | -1 {
  if (typeof value === 'string')
    throw new CommandError(238, `${value} indexes are not supported by this server`);
  if (!isNumeric(value))
    throw new CommandError(
      67,
      'Values in v:2 index key pattern cannot be of type ' +
        typeOf(value) +
        '. Only numbers > 0, numbers < 0, and strings are allowed.',
    );
  const number = toNumber(value);
  if (!number) throw new CommandError(67, 'Values in the index key pattern cannot be 0.');
  return number > 0 ? 1 : -1;
}

/** Returns whether exactly this index exists. Throws 85 or 86 for a different one with the same name or key. */
function exists(collection: Collection, wanted: IndexDefinition): boolean {
  const named = collection.indexes.get(wanted.name)?.definition;
  if (named && !sameSpec(named.spec, wanted.spec)) {
    const code = equal(named.spec.key, wanted.spec.key) ? 85 : 86;
    throw new CommandError(
      code,
      `An existing index has the same name as the requested index. When index names are not specified, they are auto generated and can cause conflicts. Please refer to our documentation. Requested index: ${JSON.stringify(wanted.spec)}, existing index: ${JSON.stringify(named.spec)}`,
    );
  }
  if (named) return true;
  const sameKey = [...collection.indexes.values()].find(({ definition }) =>
    sameSignature(definition.spec, wanted.spec),
  )?.definition;
  if (sameKey === undefined) return false;
  if (sameKey.name === '_id_') return true;
  throw new CommandError(85, `Index already exists with a different name: ${sameKey.name}`);
}

function sameSpec(a: Doc, b: Doc): boolean {
  return (
    optionsText(a) === optionsText(b) &&
    equal(a.key, b.key) &&
    equal(a.partialFilterExpression, b.partialFilterExpression)
  );
}

function optionsText({ unique, sparse, expireAfterSeconds, hidden }: Doc): string {
  const expiry = expireAfterSeconds === undefined ? undefined : toNumber(expireAfterSeconds);
  return JSON.stringify([isSet(unique), isSet(sparse), expiry, isSet(hidden)]);
}

/**
 * Returns whether key and partial filter are equal. MongoDB allows several indexes with one key and different filters.
 */
function sameSignature(a: Doc, b: Doc): boolean {
  return equal(a.key, b.key) && equal(a.partialFilterExpression, b.partialFilterExpression);
}

function requireUnique(index: OrderedIndex, collection: Collection, namespace: string): void {
  if (!index.definition.unique) return;
  for (let entry = index.seek('', true); entry !== undefined; entry = index.after(entry, true)) {
    const id = recordOf(entry);
    if (holderOf(index, entry.slice(0, -6), id) === undefined) continue;
    throw duplicateKey(namespace, index.definition, decodeStored(collection.records.get(id) ?? ''));
  }
}
