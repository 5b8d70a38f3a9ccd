import { evalExpr } from 'mingo/core';
import type { Options } from 'mingo/types';
import type { Doc } from '../bson/decode.js';
import { matchedPositions } from '../bson/path.js';
import { isDoc } from '../bson/type-of.js';
import { CommandError } from '../errors.js';
import { unwrap } from './operand.js';
import type { ElementCondition } from './parse-filter.js';
import { type Operator, predicates, type Test, whole } from './predicates.js';
import { truthy } from './truth.js';

/** Compiles a filter from `parseFilter`. A document passes if every condition holds. */
export function compileCondition(condition: Doc, options: Options): Test {
  const tests = Object.entries(condition).flatMap(([name, value]) => testsOf(name, value, options));
  const [only] = tests;
  return tests.length === 1 && only !== undefined ? only : (doc) => tests.every((test) => test(doc));
}

function testsOf(name: string, value: unknown, options: Options): Test[] {
  const logical = LOGICAL.get(name);
  if (logical !== undefined) return [logical(branchesOf(value, options))];
  if (name === '$expr') return [(doc) => truthy(evalExpr(doc, unwrap(value), options))];
  return Object.entries(docOf(value)).map(([operator, operand]) =>
    operatorOf(operator)(name, operand, options),
  );
}

const LOGICAL: ReadonlyMap<string, (branches: readonly Test[]) => Test> = new Map([
  ['$and', (branches) => (doc) => branches.every((test) => test(doc))],
  ['$or', (branches) => (doc) => branches.some((test) => test(doc))],
  ['$nor', (branches) => (doc) => !branches.some((test) => test(doc))],
]);

function branchesOf(value: unknown, options: Options): Test[] {
  return (Array.isArray(value) ? value : []).map((branch) => compileCondition(docOf(branch), options));
}

function docOf(value: unknown): Doc {
  return isDoc(value) ? value : {};
}

/** The operators whose operands are conditions themselves. */
const nesting: Readonly<Record<string, Operator>> = {
  $elemMatch: (path, operand, options) => {
    const test = elementTest(unwrap(operand), options);
    return whole(() => (value) => {
      const found = Array.isArray(value) ? value.findIndex(test) : -1;
      if (found >= 0) matchedPositions.set(path, found);
      return found >= 0;
    })(path, operand, options);
  },
  $not: (_, operand, options) => {
    const test = compileCondition(docOf(unwrap(operand)), options);
    return (doc) => !test(doc);
  },
  $all: (_, operand, options) => {
    const tests = branchesOf(unwrap(operand), options);
    return (doc) => tests.length > 0 && tests.every((test) => test(doc));
  },
};

function operatorOf(name: string): Operator {
  const operator = nesting[name] ?? predicates[name];
  if (operator === undefined) throw new CommandError(2, `unknown operator: ${name}`);
  return operator;
}

function elementTest(operand: unknown, options: Options): Test {
  const { ofValue, condition } = operand as ElementCondition;
  const test = compileCondition(condition, options);
  if (ofValue) return (element) => test([element]);
  return (element) => (isDoc(element) || Array.isArray(element)) && test(element);
}
