import { Context, evalExpr } from 'mingo/core';
import * as accumulators from 'mingo/operators/accumulator';
import * as expressions from 'mingo/operators/expression';
import * as stages from 'mingo/operators/pipeline';
import * as windows from 'mingo/operators/window';
import type { Options } from 'mingo/types';
import type { Doc } from '../bson/decode.js';
import { accumulatorOverrides } from './accumulators.js';
import { compileCondition } from './conditions.js';
import { expressionOverrides } from './expression/overrides.js';
import { prepareOptions, withOptions } from './mingo-options.js';
import { parseFilter } from './parse-filter.js';
import type { ForeignQuery } from './pushdown.js';
import { stageOverrides } from './stages.js';
import { bindFilter, bindNow } from './variables.js';

/** The environment of an evaluation: the command's time, its `let` variables and the other collections. */
export interface Environment {
  /** The time of `$$NOW` throughout a command. */
  readonly now: Date;
  readonly variables: Doc;
  /**
   * Returns documents of another collection of the same database, for stages such as `$lookup`. Returns all documents, or
   * those that match a query. The expressions of the query also see the query's variables.
   */
  readonly collection: (name: string, query?: ForeignQuery) => Doc[];
}

const context = Context.init({
  accumulator: { ...accumulators, ...accumulatorOverrides },
  expression: { ...expressions, ...expressionOverrides },
  pipeline: { ...stages, ...stageOverrides },
  window: { ...windows },
});

const prepared = prepareOptions({
  idKey: '_id',
  processingMode: 0,
  useStrictMode: true,
  scriptEnabled: false,
  failOnError: true,
  variables: {},
  context,
});

/** Returns mingo's options for one command. Most commands have no variables and share the same options. */
export function optionsFor({ variables, collection }: Environment, resolving = false): Options {
  if (!resolving && Object.keys(variables).length === 0) return prepared;
  return withOptions(prepared, { variables, collectionResolver: collection });
}

/** Compiles a filter. Throws MongoDB's error for an invalid one. */
export function compileFilter(filter: Doc, environment: Environment): (doc: Doc) => boolean {
  return compileCondition(bindFilter(parseFilter(filter), environment.now), optionsFor(environment));
}

/** Returns the value of an aggregation expression on a document. `undefined` if it is missing. */
export function evaluate(expression: unknown, doc: unknown, environment: Environment): unknown {
  return evalExpr(doc, bindNow(expression, environment.now), optionsFor(environment));
}

/** Returns whether a pipeline stage of this name exists. */
export function isStage(name: string): boolean {
  return Object.hasOwn(stages, name) || Object.hasOwn(stageOverrides, name);
}

/** Returns the values of a command's `let` variables, which are constant expressions. */
export function evaluateVariables(variables: Doc, environment: Environment): Doc {
  const entries = Object.entries(variables).map(([name, value]) => [
    name,
    evaluate(value, {}, environment) ?? null,
  ]);
  return Object.fromEntries(entries);
}
