import { isDoc } from '../../bson/type-of.js';
import { CommandError } from '../../errors.js';
import type { CommandContext } from '../command.js';
import { mergeInto } from './merge.js';
import { replaceCollection } from './out.js';
import type { Output } from './target.js';

/**
 * Functions that parse an output stage and return its writer. For an invalid stage, they throw before anything is read.
 */
const OUTPUTS: ReadonlyMap<string, (context: CommandContext, spec: unknown) => Output> = new Map([
  ['$out', replaceCollection],
  ['$merge', mergeInto],
]);

/** Splits a pipeline into its reading stages and, if its last stage writes, the writer of that stage. */
export function splitOutput(
  context: CommandContext,
  pipeline: readonly unknown[],
): { readonly reading: readonly unknown[]; readonly output: Output | undefined } {
  const last = pipeline.at(-1);
  const [name = '', ...others] = isDoc(last) ? Object.keys(last) : [];
  const prepare = OUTPUTS.get(name);
  if (!isDoc(last) || prepare === undefined || others.length > 0)
    return { reading: pipeline, output: undefined };
  if (context.transaction !== undefined)
    throw new CommandError(263, `${name} cannot be used in a transaction`);
  return { reading: pipeline.slice(0, -1), output: prepare(context, last[name]) };
}
