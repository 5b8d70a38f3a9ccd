import { type Context, evalExpr } from 'mingo/core';
import type { Options } from 'mingo/types';

/** The options as mingo keeps them while it evaluates: they also hold the document at hand. */
export interface EvaluationState extends Options {
  update(locals: { readonly root: unknown }): EvaluationState;
}

/** Whether these are options that mingo has made, as its operators get them. */
export function isEvaluationState(options: Options): options is EvaluationState {
  return 'update' in options && typeof options.update === 'function';
}

/**
 * Options in the form that mingo makes of them. Given plain ones, it copies its tables of some 250 operators for every query
 * and every expression; its own it takes as they are. It hands them to expression operators only, so one is computed to get
 * at them.
 */
export function prepareOptions(options: Options & { readonly context: Context }): EvaluationState {
  let prepared: Options = options;
  options.context.addExpressionOps({
    $prepare: (_doc: unknown, _operand: unknown, made: Options) => {
      prepared = made;
      return true;
    },
  });
  evalExpr({}, { $prepare: true }, options);
  return withOptions(prepared, {});
}

/** The same options except for some, for another pipeline. The tables of operators are shared. */
export function withOptions(options: Options, changes: Partial<Options>): EvaluationState {
  const { idKey, processingMode, useStrictMode, scriptEnabled, failOnError, collectionResolver, context } =
    options;
  const plain = {
    idKey,
    processingMode,
    useStrictMode,
    scriptEnabled,
    failOnError,
    ...(collectionResolver && { collectionResolver }),
    variables: options.variables ?? {},
    context,
    ...changes,
  };
  const made: Options = Reflect.construct(options.constructor, [plain]);
  if (isEvaluationState(made)) return made;
  throw new Error('mingo has changed how it makes its options');
}

/** The same options with some more variables, for a pipeline inside another. */
export function withVariables(options: Options, variables: Readonly<Record<string, unknown>>): Options {
  return withOptions(options, { variables: { ...options.variables, ...variables } });
}
