import { isDoc } from '../bson/type-of.js';
import type { QuerySpec } from '../plan/query-spec.js';
import { checkPipeline } from '../query/pipeline.js';
import { pushdown } from '../query/pushdown.js';
import { type CommandContext, environmentOf } from './command.js';
import { listOf } from './fields.js';
import { splitOutput } from './output/output.js';

/** Returns the query of an aggregation, and the stages that remain after it. */
export function aggregateQuery(context: CommandContext): { spec: QuerySpec; rest: readonly unknown[] } {
  const pipeline = listOf(context.body, 'pipeline');
  const { reading } = splitOutput(context, pipeline);
  const { spec, rest } = queryOf(context, reading);
  return { spec, rest: [...rest, ...pipeline.slice(reading.length)] };
}

/** Returns the query of a pipeline, and the stages that remain after it. */
export function queryOf(
  context: CommandContext,
  pipeline: readonly unknown[],
): { spec: QuerySpec; rest: readonly unknown[] } {
  const environment = environmentOf(context);
  checkPipeline(pipeline, environment);
  const { rest, ...query } = pushdown(pipeline);
  return {
    spec: {
      ...query,
      hint: context.body.hint,
      projected: rest.length > 0,
      counted: countsOnly(rest[0]),
      environment,
    },
    rest,
  };
}

/** Returns whether a stage only needs to know that documents exist. */
function countsOnly(stage: unknown): boolean {
  if (!isDoc(stage)) return false;
  if (typeof stage.$count === 'string') return true;
  return isDoc(stage.$group) && !mentionsFields(stage.$group);
}

function mentionsFields(expression: unknown): boolean {
  if (typeof expression === 'string') return expression.startsWith('$');
  if (Array.isArray(expression)) return expression.some(mentionsFields);
  return isDoc(expression) && Object.values(expression).some(mentionsFields);
}
