import type { Doc } from '../bson/decode.js';
import { isDoc } from '../bson/type-of.js';
import type { Cursors } from '../cursors.js';
import type { FailPoint } from '../fail-point.js';
import { findMatches } from '../plan/find-matches.js';
import { type Environment, evaluateVariables } from '../query/evaluation.js';
import { compilePipeline } from '../query/pipeline.js';
import type { ForeignQuery } from '../query/pushdown.js';
import type { Session } from '../session.js';
import type { Catalog } from '../storage/catalog.js';
import { Collection } from '../storage/collection.js';
import { CommittedView } from '../storage/committed-view.js';
import { decodeStored, store } from '../storage/stored.js';
import type { Transaction } from '../storage/transaction.js';
import type { View } from '../storage/view.js';
import type { Fields } from './fields.js';
import type { ServerInfo } from './server-info.js';

/** The state that a command works with. */
export interface CommandContext {
  readonly body: Doc;
  readonly database: string;
  readonly catalog: Catalog;
  readonly cursors: Cursors;
  readonly sessions: Map<string, Session>;
  readonly server: ServerInfo;
  readonly failPoint: FailPoint;
  /** The command's time, which is `$$NOW`. */
  readonly now: Date;
  /** The session's id in hex, if the command has one. */
  readonly sessionId: string | undefined;
  readonly session: Session | undefined;
  /** Set for a command inside a transaction. */
  readonly transaction: Transaction | undefined;
  /** True for a write with a transaction number outside a transaction. */
  readonly retryable: boolean;
}

/** A command of the wire protocol. */
export interface Command {
  /** The fields of the command, except those that every command has. `any` if MongoDB checks none. */
  readonly fields: Fields | 'any';
  /** Whether the command may run inside a transaction. */
  readonly transactional: boolean;
  readonly run: (context: CommandContext) => Doc | Promise<Doc>;
}

/** Returns the collection or view of that name, as the command sees it. */
export function viewOf(context: CommandContext, name: string): View {
  const { catalog, database, transaction } = context;
  const collection = (transaction ?? catalog).find(database, name);
  if (collection?.options.viewOn !== undefined) return definedView(context, name, collection.options);
  if (transaction === undefined) return catalog.view(database, name);
  if (collection === undefined) return noView(`${database}.${name}`);
  return transaction.viewOf(collection, `${database}.${name}`);
}

/** Returns the empty view that a transaction has of a missing collection. */
function noView(namespace: string): View {
  return new CommittedView(new Collection(namespace), namespace, new Set(), undefined, () => undefined);
}

/** Computes the documents of a view. Each command that reads the view computes them again. */
function definedView(context: CommandContext, name: string, { viewOn, pipeline }: Doc): View {
  const run = compilePipeline(Array.isArray(pipeline) ? pipeline : [], environmentOf(context, {}));
  const result = new Collection(name);
  for (const doc of run(allDocs(viewOf(context, String(viewOn))))) result.put(result.nextId(), store(doc));
  return new CommittedView(result, `${context.database}.${name}`, new Set(), undefined);
}

/** Returns the environment of the command's expressions: its time, its `let` variables and the other collections. */
export function environmentOf(context: CommandContext, variables: unknown = context.body.let): Environment {
  const environment = {
    now: context.now,
    variables: {},
    collection: (name: string, query?: ForeignQuery) =>
      query === undefined ? allDocs(viewOf(context, name)) : foundDocs(context, name, query),
  };
  return isDoc(variables)
    ? { ...environment, variables: evaluateVariables(variables, environment) }
    : environment;
}

function foundDocs(context: CommandContext, name: string, { variables, ...query }: ForeignQuery): Doc[] {
  const environment = { ...environmentOf(context), variables };
  const spec = { ...query, hint: undefined, projected: true, environment };
  return Array.from(findMatches(viewOf(context, name), spec), ({ doc }) => doc);
}

function allDocs(view: View): Doc[] {
  const docs: Doc[] = [];
  for (const id of view.ids()) {
    const stored = view.get(id);
    if (stored !== undefined) docs.push(decodeStored(stored));
  }
  return docs;
}

/** Returns the name of the command's collection, which is the value of the command's first field. */
export function collectionName(context: CommandContext, command: string): string {
  return String(context.body[command]);
}
