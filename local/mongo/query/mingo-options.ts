import { type Context, evalExpr } from 'mingo/core';
import type { Options } from 'mingo/types';

/** Options in mingo's form during evaluation, with the current document. */
export interface EvaluationState extends Options {
  update(locals: { readonly root: unknown }): EvaluationState;
}

/** Returns whether these are the options that mingo makes for its operators. */
export function isEvaluationState(options: Options): options is EvaluationState {
  return 'update' in options && typeof options.update === 'function';
}

/**
 * Returns options in mingo's own form. With plain options, mingo would copy its tables of some 250 operators for every
 * query and every expression. Mingo gives the prepared options only to an operator of an expression. So this function
 * evaluates an expression to get them.
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

/** Returns the options with some changes, for another pipeline. The tables of operators are shared. */
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

/** Returns the options with more variables, for a pipeline inside another. */
export function withVariables(options: Options, variables: Readonly<Record<string, unknown>>): Options {
  return withOptions(options, { variables: { ...options.variables, ...variables } });
}
