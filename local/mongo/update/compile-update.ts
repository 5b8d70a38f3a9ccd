import { BSONRegExp } from 'bson';
import { equal } from '../bson/compare.js';
import type { Doc } from '../bson/decode.js';
import { fieldOf } from '../bson/path.js';
import { shellText } from '../bson/shell-text.js';
import { isDoc, typeOf } from '../bson/type-of.js';
import { CommandError } from '../errors.js';
import { compileFilter, type Environment } from '../query/evaluation.js';
import { isOperators } from '../query/parse-filter.js';
import { compileUpdatePipeline } from '../query/pipeline.js';
import { checkIdentifiers, compileArrayFilters } from './array-filters.js';
import { KEEP, modify, remove } from './modify.js';
import type { Place } from './operator.js';
import { operators } from './operators.js';
import { isPositional, targetsOf } from './targets.js';
import { comparePaths, requireNoConflicts } from './update-paths.js';

/** A compiled update. `apply` returns the new document. Operators change the given document and return the same one. */
export interface Update {
  readonly kind: 'operators' | 'pipeline' | 'replacement';
  /** Whether a path contains `$`, which stands for the array element that the filter matched. */
  readonly isPositional: boolean;
  readonly apply: (doc: Doc, inserting: boolean) => Doc;
}

/** Compiles an update document, a replacement or a pipeline. Throws MongoDB's error for an invalid one. */
export function compileUpdate(
  update: unknown,
  arrayFilters: readonly unknown[] | undefined,
  environment: Environment,
): Update {
  if (Array.isArray(update)) {
    if (arrayFilters)
      throw new CommandError(9, 'arrayFilters may not be specified for pipeline-syle updates');
    return { kind: 'pipeline', isPositional: false, apply: compileUpdatePipeline(update, environment) };
  }
  if (!isDoc(update)) throw new CommandError(9, `Update argument must be either an object or an array`);
  if (Object.keys(update)[0]?.startsWith('$') !== true) return replacement(update, arrayFilters);
  return operatorUpdate(update, arrayFilters ?? [], environment);
}

function replacement(update: Doc, arrayFilters: readonly unknown[] | undefined): Update {
  if (arrayFilters)
    throw new CommandError(9, 'arrayFilters may not be specified for replacement-style updates');
  const dollar = Object.keys(update).find((name) => name.startsWith('$'));
  if (dollar !== undefined) {
    throw new CommandError(
      52,
      `The dollar ($) prefixed field '${dollar}' in '${dollar}' is not allowed in the context of an update's replacement document. Consider using an aggregation pipeline with $replaceWith.`,
    );
  }
  return {
    kind: 'replacement',
    isPositional: false,
    apply: (doc) => {
      const { _id = doc._id, ...fields } = update;
      return Object.hasOwn(update, '__proto__') ? update : { _id, ...fields };
    },
  };
}

interface Modification {
  readonly operator: string;
  readonly path: readonly string[];
  readonly operand: unknown;
}

function operatorUpdate(update: Doc, arrayFilters: readonly unknown[], environment: Environment): Update {
  const modifications = Object.entries(update).flatMap(([name, fields]) => parseOperator(name, fields));
  const paths = modifications.flatMap(touchedPaths);
  requireNoConflicts(paths);
  const filters = compileArrayFilters(arrayFilters, environment);
  checkIdentifiers(paths, filters);
  modifications.sort((a, b) => comparePaths(a.path, b.path));
  const matcher = (condition: unknown) => elementMatcher(condition, environment);
  for (const one of modifications)
    checkOperand(one, { path: one.path.join('.'), doc: {}, now: environment.now, matcher });
  return {
    kind: 'operators',
    isPositional: paths.some((path) => path.includes('$')),
    apply: (doc, inserting) => {
      for (const { operator, path, operand } of modifications) {
        if (operator === '$setOnInsert' && !inserting) continue;
        if (!inserting && operator !== '$unset') requireNoDollar(path);
        for (const target of targetsOf(doc, path, filters)) {
          const place = { path: target.join('.'), doc, now: environment.now, matcher };
          applyOperator(operator, operand, target, place);
        }
      }
      return doc;
    },
  };
}

/** Throws for a top-level field with a dollar sign. No command except an insert or an upsert may create one. */
function requireNoDollar([name = '']: readonly string[]): void {
  if (!name.startsWith('$')) return;
  throw new CommandError(
    52,
    `The dollar ($) prefixed field '${name}' in '${name}' is not allowed in the context of an update's replacement document. Consider using an aggregation pipeline with $replaceWith.`,
  );
}

function parseOperator(name: string, fields: unknown): Modification[] {
  if (!Object.hasOwn(operators, name) && !['$unset', '$rename', '$setOnInsert'].includes(name)) {
    throw new CommandError(
      9,
      `Unknown modifier: ${name}. Expected a valid update modifier or pipeline-style update specified as an array`,
    );
  }
  if (!isDoc(fields)) {
    throw new CommandError(
      9,
      `Modifiers operate on fields but we found type ${typeOf(fields)} instead. For example: {$mod: {<field>: ...}} not {${name}: ${shellText(fields)}}`,
    );
  }
  return Object.entries(fields).map(([path, operand]) => ({
    operator: name,
    path: parsePath(path),
    operand,
  }));
}

function parsePath(path: string): readonly string[] {
  if (path === '') throw new CommandError(56, `An empty update path is not valid.`);
  const parts = path.split('.');
  if (parts.includes('')) {
    throw new CommandError(
      56,
      `The update path '${path}' contains an empty field name, which is not allowed.`,
    );
  }
  if (isPositional(parts[0] ?? '')) {
    throw new CommandError(
      2,
      `Cannot have positional (i.e. '$') element in the first position in path '${path}'`,
    );
  }
  if (parts.filter((part) => part === '$').length > 1) {
    throw new CommandError(2, `Too many positional (i.e. '$') elements found in path '${path}'`);
  }
  return parts;
}

function touchedPaths({ operator, path, operand }: Modification): (readonly string[])[] {
  if (operator !== '$rename') return [path];
  if (typeof operand !== 'string') {
    throw new CommandError(
      2,
      `The 'to' field for $rename must be a string: ${path.join('.')}: ${shellText(operand)}`,
    );
  }
  if (path.join('.') === operand)
    throw new CommandError(
      2,
      `The source and target field for $rename must differ: ${operand}: "${operand}"`,
    );
  if ([...path, ...operand.split('.')].some(isPositional)) {
    throw new CommandError(2, `The source and destination field for $rename may not be dynamic: ${operand}`);
  }
  return [path, parsePath(operand)];
}

function checkOperand({ operator, operand }: Modification, place: Place): void {
  operators[operator]?.(operand, place);
}

function applyOperator(operator: string, operand: unknown, target: readonly string[], place: Place): void {
  if (operator === '$unset') remove(place.doc, target);
  else if (operator === '$rename') rename(place.doc, target, String(operand).split('.'));
  else if (operator === '$setOnInsert') modify(place.doc, target, () => operand);
  else modify(place.doc, target, operators[operator]?.(operand, place) ?? (() => KEEP));
}

function rename(doc: Doc, from: readonly string[], to: readonly string[]): void {
  requireNoArray(doc, from, 'source');
  let value: unknown = doc;
  for (const part of from) value = fieldOf(value, part);
  if (value === undefined) return;
  requireNoArray(doc, to, 'destination');
  remove(doc, from);
  modify(doc, to, () => value);
}

function requireNoArray(doc: Doc, path: readonly string[], which: string): void {
  let value: unknown = doc;
  for (const part of path) {
    if (Array.isArray(value)) {
      throw new CommandError(
        2,
        `The ${which} field cannot be an array element, '${path.join('.')}' in doc with _id: ${shellText(doc._id)} has an array field`,
      );
    }
    value = fieldOf(value, part);
  }
}

/** Compiles a `$pull` condition. Operators test the element, a document filters it, and any other value must equal it. */
function elementMatcher(condition: unknown, environment: Environment): (element: unknown) => boolean {
  if (condition instanceof BSONRegExp || (isOperators(condition) && !isLogical(condition))) {
    const matches = compileFilter({ element: condition }, environment);
    return (element) => matches({ element });
  }
  if (!isDoc(condition)) return (element) => equal(element, condition);
  const matches = compileFilter(condition, environment);
  return (element) => isDoc(element) && matches(element);
}

function isLogical(condition: Doc): boolean {
  return Object.keys(condition).some((name) => name === '$and' || name === '$or' || name === '$nor');
}
