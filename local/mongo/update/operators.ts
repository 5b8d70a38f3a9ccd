import { Long, Timestamp } from 'bson';
import { compare } from '../bson/compare.js';
import { add, multiply, toBigInt } from '../bson/numbers.js';
import { shellText } from '../bson/shell-text.js';
import { isDoc, isNumeric, typeOf } from '../bson/type-of.js';
import { CommandError } from '../errors.js';
import { arrayOperators } from './array-operators.js';
import { type Change, KEEP } from './modify.js';
import type { Operator, Place } from './operator.js';

/** The operators that compute a field's new value. `$unset`, `$rename` and `$setOnInsert` are elsewhere. */
export const operators: Record<string, Operator> = {
  $set: (operand) => () => operand,
  $inc: (operand, place) =>
    arithmetic('$inc', 'increment', operand, place, (current) => add(current ?? 0, operand)),
  $mul: (operand, place) =>
    arithmetic('$mul', 'multiply', operand, place, (current) => multiply(current ?? 0, operand)),
  $min: (operand) => (current) => (current === undefined || compare(operand, current) < 0 ? operand : KEEP),
  $max: (operand) => (current) => (current === undefined || compare(operand, current) > 0 ? operand : KEEP),
  $currentDate: (operand, { now }) => {
    const timestamp = currentDateType(operand) === 'timestamp';
    return () => (timestamp ? new Timestamp({ t: Math.floor(now.getTime() / 1000), i: 1 }) : now);
  },
  $bit: (operand, { path }) => {
    const [name, mask] = bitOperand(operand);
    return (current) => {
      if (current !== undefined && !isIntegral(current)) {
        throw new CommandError(
          2,
          `Cannot apply $bit to a value of non-integral type. Field '${path}' is of type ${typeOf(current)}`,
        );
      }
      return bitwise(name, current ?? 0, mask);
    };
  },
  ...arrayOperators,
};

function arithmetic(
  name: string,
  verb: string,
  operand: unknown,
  { path, doc }: Place,
  compute: (current: unknown) => unknown,
): Change {
  if (!isNumeric(operand)) {
    throw new CommandError(14, `Cannot ${verb} with non-numeric argument: {${path}: ${shellText(operand)}}`);
  }
  return (current) => {
    if (current !== undefined && !isNumeric(current)) {
      throw new CommandError(
        14,
        `Cannot apply ${name} to a value of non-numeric type. {_id: ${shellText(doc._id)}} has the field '${path.split('.').at(-1)}' of non-numeric type ${typeOf(current)}`,
      );
    }
    const result = compute(current);
    if (typeOf(result) === 'double' && isIntegral(current ?? 0) && isIntegral(operand)) {
      throw new CommandError(
        2,
        `Failed to apply ${name} operations to current value (${shellText(current)}) for document {_id: ${shellText(doc._id)}}`,
      );
    }
    return result;
  };
}

function isIntegral(value: unknown): boolean {
  const type = typeOf(value);
  return type === 'int' || type === 'long';
}

function currentDateType(operand: unknown): 'date' | 'timestamp' {
  if (typeof operand === 'boolean') return 'date';
  const type = isDoc(operand) && Object.keys(operand).length === 1 ? operand.$type : undefined;
  if (type === 'date' || type === 'timestamp') return type;
  throw new CommandError(
    2,
    `The '$type' string field is required to be 'date' or 'timestamp': {$currentDate: {field : {$type: 'date'}}}`,
  );
}

function bitOperand(operand: unknown): [string, unknown] {
  const [entry, ...others] = isDoc(operand) ? Object.entries(operand) : [];
  if (entry === undefined || others.length > 0 || !['and', 'or', 'xor'].includes(entry[0])) {
    throw new CommandError(2, `The $bit modifier only supports 'and', 'or', and 'xor', one of them`);
  }
  if (!isIntegral(entry[1]))
    throw new CommandError(2, 'The $bit modifier field must be an Integer(32/64 bit)');
  return entry;
}

function bitwise(name: string, current: unknown, mask: unknown): unknown {
  const left = toBigInt(current);
  const right = toBigInt(mask);
  const result = name === 'and' ? left & right : name === 'or' ? left | right : left ^ right;
  return typeOf(current) === 'long' || typeOf(mask) === 'long' ? Long.fromBigInt(result) : Number(result);
}
