import type { Context } from 'mingo/core';
import { Query } from 'mingo/query';
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
 * Options in the form that mingo makes of them. Given plain ones, it copies its tables of some 250 operators
 * for every query and every expression; its own it takes as they are. It hands them to query operators only,
 * so one is compiled to get at them.
 */
export function prepareOptions(options: Options & { readonly context: Context }): Options {
  let prepared: Options = options;
  options.context.addQueryOps({
    $prepare: (_path: string, _operand: unknown, made: Options) => {
      prepared = made;
      return () => true;
    },
  });
  new Query({ prepared: { $prepare: true } }, options);
  return prepared;
}

/** The same options with some more variables, for a pipeline inside another. */
export function withVariables(options: Options, variables: Readonly<Record<string, unknown>>): Options {
  const { idKey, processingMode, useStrictMode, scriptEnabled, failOnError, collectionResolver, context } =
    options;
  return {
    idKey,
    processingMode,
    useStrictMode,
    scriptEnabled,
    failOnError,
    ...(collectionResolver && { collectionResolver }),
    variables: { ...options.variables, ...variables },
    context,
  };
}
