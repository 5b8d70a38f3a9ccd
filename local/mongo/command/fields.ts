import type { Doc } from '../bson/decode.js';
import { isDoc, typeOf } from '../bson/type-of.js';
import { CommandError } from '../errors.js';

/** The type of a command's field. */
export type FieldType =
  | 'string'
  | 'object'
  | 'array'
  | 'bool'
  | 'number'
  | 'any'
  | 'objectOrArray'
  | 'objectOrString'
  | 'long'
  | 'stringOrNumber';

const NUMBER = ['int', 'long', 'double', 'decimal'];

const ACCEPTED: Readonly<Record<FieldType, readonly string[]>> = {
  string: ['string'],
  object: ['object'],
  array: ['array'],
  bool: ['bool', ...NUMBER],
  number: NUMBER,
  long: ['long'],
  any: [],
  objectOrArray: ['object', 'array'],
  objectOrString: ['object', 'string'],
  stringOrNumber: ['string', ...NUMBER],
};

const SHOWN: Readonly<Record<string, string>> = {
  bool: "expected types '[bool, long, int, decimal, double]'",
  number: "expected types '[long, int, decimal, double]'",
};

/** The fields of a command or one of its statements. A name that ends in `!` is required. */
export type Fields = Readonly<Record<string, FieldType>>;

/** The fields that every command takes. */
const GENERIC: Fields = {
  $db: 'string',
  lsid: 'object',
  txnNumber: 'number',
  startTransaction: 'bool',
  autocommit: 'bool',
  $clusterTime: 'object',
  $readPreference: 'object',
  readConcern: 'object',
  writeConcern: 'object',
  maxTimeMS: 'number',
  comment: 'any',
  apiVersion: 'string',
  apiStrict: 'bool',
  apiDeprecationErrors: 'bool',
  stmtId: 'number',
  stmtIds: 'array',
  $audit: 'object',
  $client: 'object',
};

/** The fields by name, and the required names. */
interface Known {
  readonly types: ReadonlyMap<string, FieldType>;
  readonly required: readonly string[];
}

const generic = readFields(GENERIC);

/** The field lists read so far. Each is read only once, because every command is checked. */
const known = new WeakMap<Fields, Known>();

/**
 * Checks a command's fields as MongoDB's IDL parser does. Throws 40415 for an unknown field, 14 for a wrong type, 40414
 * for a missing field.
 */
export function checkCommand(name: string, command: Doc, fields: Fields): void {
  check(name, command, fields, (field) => (field === name ? 'any' : generic.types.get(field)));
}

/** Checks a document inside a command, such as one statement of an update. */
export function checkNested(name: string, doc: Doc, fields: Fields): void {
  check(name, doc, fields, () => undefined);
}

function check(
  name: string,
  doc: Doc,
  fields: Fields,
  otherType: (field: string) => FieldType | undefined,
): void {
  const { types, required } = knownOf(fields);
  for (const [field, value] of Object.entries(doc)) {
    const type = types.get(field) ?? otherType(field);
    if (type === undefined)
      throw new CommandError(40415, `BSON field '${name}.${field}' is an unknown field.`);
    checkType(name, field, value, type);
  }
  for (const field of required) {
    if (doc[field] === undefined)
      throw new CommandError(40414, `BSON field '${name}.${field}' is missing but a required field`);
  }
}

function knownOf(fields: Fields): Known {
  const read = known.get(fields) ?? readFields(fields);
  known.set(fields, read);
  return read;
}

function readFields(fields: Fields): Known {
  const entries = Object.entries(fields);
  return {
    types: new Map(entries.map(([key, type]) => [key.replace('!', ''), type])),
    required: entries.flatMap(([key]) => (key.endsWith('!') ? [key.replace('!', '')] : [])),
  };
}

function checkType(name: string, field: string, value: unknown, type: FieldType): void {
  if (value === undefined || type === 'any') return;
  const accepted = ACCEPTED[type];
  const actual = typeOf(value);
  if (accepted.includes(actual)) return;
  const expected =
    SHOWN[type] ??
    (accepted.length === 1 ? `expected type '${accepted[0]}'` : `expected types '[${accepted.join(', ')}]'`);
  throw new CommandError(14, `BSON field '${name}.${field}' is the wrong type '${actual}', ${expected}`);
}

/** Returns a field that the check has found to be a document, or an empty document if it is missing. */
export function docOf(body: Doc, field: string): Doc {
  const value = body[field];
  return isDoc(value) ? value : {};
}

/** Returns a field that the check has found to be an array, or an empty array if it is missing. */
export function listOf(body: Doc, field: string): readonly unknown[] {
  const value = body[field];
  return Array.isArray(value) ? value : [];
}
