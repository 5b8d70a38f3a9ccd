import { BSONRegExp } from 'bson';
import type { Doc } from '../bson/decode.js';
import { isDoc } from '../bson/type-of.js';
import { CommandError } from '../errors.js';
import { checkOperand, isFieldOperator } from './check-operand.js';
import { Operand } from './operand.js';

const LOGICAL = new Set(['$and', '$or', '$nor']);

/**
 * Checks a filter as MongoDB does, and converts it into a form to compile. Every condition becomes operators with
 * wrapped operands, and several conditions are joined by `$and`.
 */
export function parseFilter(filter: unknown): Doc {
  if (!isDoc(filter)) throw new CommandError(14, 'the filter must be an object');
  const clauses = Object.entries(filter).flatMap(([name, value]) => parseClause(name, value));
  const [only] = clauses;
  return clauses.length === 1 && only !== undefined ? only : { $and: clauses };
}

function parseClause(name: string, value: unknown): Doc[] {
  if (!name.startsWith('$')) return [{ [name]: parseCondition(name, value) }];
  if (LOGICAL.has(name)) return [{ [name]: parseBranches(name, value) }];
  if (name === '$comment') return [];
  if (name === '$expr') return [{ $expr: new Operand(value) }];
  if (name === '$alwaysTrue') return [];
  if (name === '$alwaysFalse') return [{ $nor: [{ $and: [] }] }];
  if (name === '$where' || name === '$text' || name === '$jsonSchema') {
    throw new CommandError(238, `${name} is not implemented by this server`);
  }
  throw new CommandError(
    2,
    `unknown top level operator: ${name}. If you have a field name that starts with a '$' symbol, consider using $getField or $setField.`,
  );
}

function parseBranches(name: string, value: unknown): Doc[] {
  if (!Array.isArray(value)) throw new CommandError(2, `${name} must be an array`);
  if (value.length === 0) throw new CommandError(2, `${name} argument must be a non-empty array`);
  return value.map((branch: unknown) => {
    if (!isDoc(branch)) throw new CommandError(2, `${name} argument's entries must be objects`);
    return parseFilter(branch);
  });
}

/** Returns a field's condition as operators with wrapped operands. A plain value is an equality. */
export function parseCondition(path: string, value: unknown): Doc {
  if (path.split('.').includes('__proto__')) throw new CommandError(2, `cannot query the path '${path}'`);
  if (value instanceof BSONRegExp) return { $pattern: new Operand(value) };
  if (!isOperators(value)) return { $eq: new Operand(value) };
  const { $regex, $options, ...others } = value;
  const parsed: Doc = {};
  if ($regex !== undefined) parsed.$pattern = new Operand(patternOf($regex, $options));
  else if ($options !== undefined) throw new CommandError(2, '$options needs a $regex');
  for (const [operator, operand] of Object.entries(others)) {
    if (!isFieldOperator(operator)) throw new CommandError(2, `unknown operator: ${operator}`);
    parsed[operator] = parseOperand(path, operator, operand);
  }
  return parsed;
}

/** Returns whether a condition consists of operators. `{ $ref, $id }` is a value, a DBRef. */
export function isOperators(value: unknown): value is Doc {
  if (!isDoc(value)) return false;
  const [first] = Object.keys(value);
  return first?.startsWith('$') === true && !['$ref', '$id', '$db'].includes(first);
}

function parseOperand(path: string, operator: string, operand: unknown): Operand {
  checkOperand(operator, operand);
  if (operator === '$not') return new Operand(parseNegated(path, operand));
  if (operator === '$elemMatch') return new Operand(parseElemMatch(operand));
  if (operator === '$all' && Array.isArray(operand)) {
    return new Operand(operand.map((element: unknown) => parseAllElement(path, element)));
  }
  return new Operand(operand);
}

function parseNegated(path: string, operand: unknown): Doc {
  if (operand instanceof BSONRegExp) return { [path]: parseCondition(path, operand) };
  if (!isOperators(operand)) throw new CommandError(2, '$not needs a regex or a document');
  return { [path]: parseCondition(path, operand) };
}

/**
 * A condition on an element of an array. A condition without operators tests the element's fields. A condition of
 * operators (`ofValue`) tests the element itself. For that, the element is put into an array and tested at path '0', so
 * that an element which is an array is not entered.
 */
export interface ElementCondition {
  readonly ofValue: boolean;
  readonly condition: Doc;
}

function parseElemMatch(operand: unknown): ElementCondition {
  if (isOperators(operand) && !Object.keys(operand).some((key) => LOGICAL.has(key) || key === '$expr')) {
    return { ofValue: true, condition: { '0': parseCondition('0', operand) } };
  }
  return { ofValue: false, condition: parseFilter(operand) };
}

/** Parses an element of `$all`, which is a value or an `$elemMatch` document. */
function parseAllElement(path: string, element: unknown): Doc {
  if (isOperators(element)) return { [path]: parseCondition(path, element) };
  return {
    [path]: element instanceof BSONRegExp ? parseCondition(path, element) : { $eq: new Operand(element) },
  };
}

function patternOf(regex: unknown, options: unknown): BSONRegExp {
  if (options !== undefined && typeof options !== 'string') {
    throw new CommandError(2, '$options has to be a string');
  }
  if (typeof regex === 'string') return new BSONRegExp(regex, options ?? '');
  if (!(regex instanceof BSONRegExp)) throw new CommandError(2, '$regex has to be a string');
  if (options !== undefined && regex.options !== '') {
    throw new CommandError(51074, 'options set in both $regex and $options');
  }
  return options === undefined ? regex : new BSONRegExp(regex.pattern, options);
}
