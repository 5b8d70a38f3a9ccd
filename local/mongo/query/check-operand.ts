import { BSONRegExp } from 'bson';
import { toNumber } from '../bson/to-number.js';
import { type BsonType, isDoc, isNumeric, TYPE_NUMBERS } from '../bson/type-of.js';
import { CommandError } from '../errors.js';

type Check = (operator: string, operand: unknown) => void;

const anything: Check = () => undefined;

const noRegex: Check = (operator, operand) => {
  if (operand instanceof BSONRegExp)
    throw new CommandError(2, `Can't have RegEx as arg to predicate over field '${operator}'.`);
};

const array: Check = (operator, operand) => {
  if (!Array.isArray(operand)) throw new CommandError(2, `${operator} needs an array`);
};

const values: Check = (operator, operand) => {
  array(operator, operand);
  const nested =
    Array.isArray(operand) && operand.some((value) => isDoc(value) && Object.keys(value)[0]?.startsWith('$'));
  if (nested && operator !== '$all') throw new CommandError(2, `cannot nest $ under ${operator}`);
};

const document: Check = (operator, operand) => {
  if (!isDoc(operand)) throw new CommandError(2, `${operator} needs an Object`);
};

const negatable: Check = (operator, operand) => {
  if (operand instanceof BSONRegExp) return;
  if (!isDoc(operand)) throw new CommandError(2, `${operator} needs a regex or a document`);
  if (Object.keys(operand).length === 0) throw new CommandError(2, `${operator} cannot be empty`);
};

const size: Check = (operator, operand) => {
  if (!isNumeric(operand)) throw new CommandError(9, `Failed to parse ${operator}. Expected a number`);
  const number = toNumber(operand);
  if (!Number.isInteger(number) || number < 0) {
    throw new CommandError(2, `Failed to parse ${operator}. Expected a non-negative integer`);
  }
};

const mod: Check = (operator, operand) => {
  if (!Array.isArray(operand)) throw new CommandError(2, 'malformed mod, needs to be an array');
  if (operand.length < 2) throw new CommandError(2, 'malformed mod, not enough elements');
  if (operand.length > 2) throw new CommandError(2, 'malformed mod, too many elements');
  if (!operand.every(isNumeric)) throw new CommandError(2, `malformed mod, ${operator} takes numbers`);
  if (Math.trunc(toNumber(operand[0])) === 0) throw new CommandError(2, 'divisor cannot be 0');
};

const types: Check = (_, operand) => {
  typesOf(operand);
};

/** The operators that a field's condition may have, with the check of each one's operand. */
const CHECKS: Readonly<Record<string, Check>> = {
  $eq: anything,
  $ne: noRegex,
  $gt: noRegex,
  $gte: noRegex,
  $lt: noRegex,
  $lte: noRegex,
  $in: values,
  $nin: values,
  $exists: anything,
  $type: types,
  $not: negatable,
  $elemMatch: document,
  $all: values,
  $size: size,
  $mod: mod,
  $bitsAllSet: anything,
  $bitsAllClear: anything,
  $bitsAnySet: anything,
  $bitsAnyClear: anything,
};

/** Returns whether this is a known operator of a field's condition. */
export function isFieldOperator(operator: string): boolean {
  return Object.hasOwn(CHECKS, operator);
}

/** Throws MongoDB's error for an operand that does not suit the operator. */
export function checkOperand(operator: string, operand: unknown): void {
  CHECKS[operator]?.(operator, operand);
}

/** Returns the types that an operand of `$type` names. `number` stands for four types. */
export function typesOf(operand: unknown): ReadonlySet<BsonType> {
  const names = Array.isArray(operand) ? operand : [operand];
  if (names.length === 0) throw new CommandError(9, '$type must match at least one type');
  return new Set(names.flatMap(typeNamed));
}

const TYPE_NAMES = new Set<unknown>(TYPE_NUMBERS.values());

function isTypeName(name: unknown): name is BsonType {
  return TYPE_NAMES.has(name);
}

function typeNamed(name: unknown): BsonType[] {
  if (name === 'number') return ['int', 'long', 'double', 'decimal'];
  if (isTypeName(name)) return [name];
  if (typeof name === 'string') throw new CommandError(2, `Unknown type name alias: ${name}`);
  if (!isNumeric(name)) throw new CommandError(14, 'type must be represented as a number or a string');
  const type = TYPE_NUMBERS.get(toNumber(name));
  if (type === undefined) throw new CommandError(2, `Invalid numerical type code: ${toNumber(name)}`);
  return [type];
}
