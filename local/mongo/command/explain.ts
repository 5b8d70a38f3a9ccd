import type { Doc } from '../bson/decode.js';
import { isDoc } from '../bson/type-of.js';
import { CommandError } from '../errors.js';
import { describePlan, type StageDoc } from '../plan/describe-plan.js';
import { planQuery } from '../plan/find-matches.js';
import type { QuerySpec } from '../plan/query-spec.js';
import { aggregateQuery } from './aggregate-query.js';
import { type Command, type CommandContext, viewOf } from './command.js';
import { countQuery, distinctQuery } from './count.js';
import { deleteQuery } from './delete.js';
import { checkCommand, type Fields } from './fields.js';
import { findQuery } from './find.js';
import { modifyQuery } from './find-and-modify.js';
import { updateSpec } from './update.js';

const VERBOSITIES = ['queryPlanner', 'executionStats', 'allPlansExecution'];

/** The parts of a command that are explained: its query, and the stages that follow. */
interface Explained {
  readonly spec: QuerySpec;
  /** The query that the explained stages show, if it is another. A count skips and limits in its own stage. */
  readonly shown?: QuerySpec;
  /** The stage that a write or a count adds on top. */
  readonly top?: string;
  /** The stages of a pipeline that the query does not cover. */
  readonly rest?: readonly unknown[];
}

/** Returns the command `explain`, which writes nothing. */
export function explainCommand(fieldsOf: (name: string) => Fields | 'any' | undefined): Command {
  return {
    fields: { verbosity: 'string' },
    transactional: false,
    run: (context) => {
      const { explain, verbosity = 'allPlansExecution' } = context.body;
      if (!isDoc(explain)) throw new CommandError(14, 'explain needs a command document');
      if (typeof verbosity !== 'string' || !VERBOSITIES.includes(verbosity)) {
        throw new CommandError(
          9,
          "verbosity string must be one of {'queryPlanner', 'executionStats', 'allPlansExecution'}",
        );
      }
      const [name = ''] = Object.keys(explain);
      const fields = fieldsOf(name);
      if (fields === undefined) throw new CommandError(59, `Explain failed due to unknown command: ${name}`);
      if (fields !== 'any') checkCommand(name, explain, fields);
      return explainQuery(name, { ...context, body: explain }, verbosity !== 'queryPlanner');
    },
  };
}

/** Returns the reply to an explain of one command. */
export function explainQuery(name: string, context: CommandContext, execute: boolean): Doc {
  const { spec, shown = spec, top, rest = [] } = explained(name, context);
  const collection = String(context.body[name]);
  const view = viewOf(context, collection);
  const started = performance.now();
  const { plan, rejected, counters, matches } = planQuery(view, spec);
  let nReturned = 0;
  if (execute) for (const _ of matches) nReturned += 1;
  const wrap = (stage: StageDoc): StageDoc => (top === undefined ? stage : { stage: top, inputStage: stage });
  const planner = {
    namespace: `${context.database}.${collection}`,
    indexFilterSet: false,
    parsedQuery: spec.filter,
    winningPlan: wrap(describePlan(plan, shown)),
    rejectedPlans: rejected.map((one) => wrap(describePlan(one, shown))),
  };
  const stats = execute && {
    executionStats: {
      executionSuccess: true,
      nReturned: top === undefined ? nReturned : 0,
      executionTimeMillis: Math.round(performance.now() - started),
      totalKeysExamined: counters.keys,
      totalDocsExamined: counters.docs,
      executionStages: { ...wrap(describePlan(plan, shown, counters)), nReturned },
    },
  };
  const serverInfo = { host: context.server.address, version: context.server.version };
  if (rest.length === 0)
    return { explainVersion: '1', queryPlanner: planner, ...stats, command: context.body, serverInfo };
  const cursor = { $cursor: { queryPlanner: planner, ...stats } };
  const stages = [cursor, ...rest.map((stage) => explainStage(context, stage, execute))];
  return { explainVersion: '1', stages, command: context.body, serverInfo };
}

/** Explains a stage after the query. A read of another collection is explained inside the stage. */
function explainStage(context: CommandContext, stage: unknown, execute: boolean): unknown {
  const union = isDoc(stage) ? stage.$unionWith : undefined;
  const { coll, pipeline = [] }: Doc = isDoc(union) ? union : { coll: union };
  if (typeof coll !== 'string' || !Array.isArray(pipeline)) return stage;
  const { body } = context;
  const inner = { ...context, body: { aggregate: coll, pipeline, let: body.let, $db: body.$db } };
  const { queryPlanner, executionStats, stages } = explainQuery('aggregate', inner, execute);
  const cursor = { $cursor: { queryPlanner, ...(executionStats !== undefined && { executionStats }) } };
  return { $unionWith: { coll, pipeline: stages ?? [cursor] } };
}

function explained(name: string, context: CommandContext): Explained {
  switch (name) {
    case 'find':
      return { spec: findQuery(context) };
    case 'count': {
      const spec = countQuery(context);
      return { spec, shown: { ...spec, skip: 0, limit: 0 }, top: 'COUNT' };
    }
    case 'distinct':
      return { spec: distinctQuery(context) };
    case 'aggregate':
      return aggregateQuery(context);
    case 'findAndModify':
      return { spec: modifyQuery(context), top: context.body.remove ? 'DELETE' : 'UPDATE' };
    case 'update': {
      const statement = onlyStatement(context.body.updates);
      const spec = updateSpec(context, statement);
      return { spec: { ...spec, skip: 0, limit: spec.multi ? 0 : 1 }, top: 'UPDATE' };
    }
    case 'delete':
      return { spec: deleteQuery(context, onlyStatement(context.body.deletes)), top: 'DELETE' };
    default:
      throw new CommandError(59, `Explain failed due to unknown command: ${name}`);
  }
}

function onlyStatement(statements: unknown): Doc {
  const [statement, ...others] = Array.isArray(statements) ? statements : [];
  if (isDoc(statement) && others.length === 0) return statement;
  throw new CommandError(72, 'explained write batches must be of size 1');
}
