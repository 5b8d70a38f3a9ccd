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

/**
 * Checks a command's fields as MongoDB's IDL parser does. Throws 40415 for an unknown field, 14 for a wrong type, 40414
 * for a missing field.
 */
export function checkCommand(name: string, command: Doc, fields: Fields): void {
  check(name, command, fields, (field) => field === name || Object.hasOwn(GENERIC, field));
  for (const [field, type] of Object.entries(GENERIC)) checkType(name, field, command[field], type);
}

/** Checks a document inside a command, such as one statement of an update. */
export function checkNested(name: string, doc: Doc, fields: Fields): void {
  check(name, doc, fields, () => false);
}

function check(name: string, doc: Doc, fields: Fields, generic: (field: string) => boolean): void {
  for (const field of Object.keys(doc)) {
    if (generic(field) || Object.hasOwn(fields, field) || Object.hasOwn(fields, `${field}!`)) continue;
    throw new CommandError(40415, `BSON field '${name}.${field}' is an unknown field.`);
  }
  for (const [key, type] of Object.entries(fields)) {
    const field = key.replace('!', '');
    if (key.endsWith('!') && doc[field] === undefined) {
      throw new CommandError(40414, `BSON field '${name}.${field}' is missing but a required field`);
    }
    checkType(name, field, doc[field], type);
  }
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

/** Returns a field that the check found to be a document, or an empty one where it is left out. */
export function docOf(body: Doc, field: string): Doc {
  const value = body[field];
  return isDoc(value) ? value : {};
}

/** Returns a field that the check found to be an array, or an empty one where it is left out. */
export function listOf(body: Doc, field: string): readonly unknown[] {
  const value = body[field];
  return Array.isArray(value) ? value : [];
}
