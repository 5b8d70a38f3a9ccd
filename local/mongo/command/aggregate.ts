import { UUID } from 'bson';
import type { Doc } from '../bson/decode.js';
import { isDoc } from '../bson/type-of.js';
import type { ResultDoc } from '../cursors.js';
import { CommandError } from '../errors.js';
import { findMatches } from '../plan/find-matches.js';
import { compilePipeline } from '../query/pipeline.js';
import { encode } from '../wire/message.js';
import { queryOf } from './aggregate-query.js';
import { type Command, type CommandContext, environmentOf, viewOf } from './command.js';
import { explainQuery } from './explain.js';
import { listOf } from './fields.js';
import { nonNegative } from './find.js';
import { splitOutput } from './output/output.js';
import { requireSupported } from './unsupported.js';

/** `aggregate` runs a pipeline over a collection. Its leading `$match` uses indexes. */
export const aggregate: Command = {
  fields: {
    'pipeline!': 'array',
    cursor: 'object',
    explain: 'bool',
    allowDiskUse: 'bool',
    bypassDocumentValidation: 'bool',
    collation: 'object',
    hint: 'objectOrString',
    let: 'object',
  },
  transactional: true,
  run: async (context) => {
    const { body, cursors, database, sessionId } = context;
    requireSupported(body, ['collation']);
    if (body.explain) return explainQuery('aggregate', context, false);
    if (!isDoc(body.cursor)) {
      throw new CommandError(
        9,
        "The 'cursor' option is required, except for aggregate with the explain argument",
      );
    }
    const name = typeof body.aggregate === 'string' ? body.aggregate : '$cmd.aggregate';
    const batchSize =
      body.cursor.batchSize === undefined ? 101 : nonNegative('batchSize', body.cursor.batchSize);
    const results = await written(context, name);
    return { cursor: cursors.first(`${database}.${name}`, results, batchSize, sessionId) };
  },
};

/** Returns the results, or none if the last stage writes them to a collection. */
async function written(context: CommandContext, name: string): Promise<Iterable<ResultDoc>> {
  const { reading, output } = splitOutput(context, listOf(context.body, 'pipeline'));
  const results = resultsOf(context, name, reading);
  if (output === undefined) return encoded(results);
  await output([...results]);
  return [];
}

function resultsOf(context: CommandContext, name: string, pipeline: readonly unknown[]): Iterable<Doc> {
  const source = sourceOf(context, pipeline);
  if (source !== undefined) return compilePipeline(source.rest, environmentOf(context))(source.docs);
  const { spec, rest } = queryOf(context, pipeline);
  const run = compilePipeline(rest, spec.environment);
  return run(docsOf(findMatches(viewOf(context, name), spec)));
}

/**
 * Returns the documents that the first stage of a pipeline makes, and the other stages. Undefined for a pipeline on a
 * collection.
 */
function sourceOf(
  { body, sessions }: CommandContext,
  pipeline: readonly unknown[],
): { docs: Doc[]; rest: readonly unknown[] } | undefined {
  if (typeof body.aggregate === 'string') return undefined;
  const [first, ...rest] = pipeline;
  const [name] = isDoc(first) ? Object.keys(first) : [];
  if (name === '$listLocalSessions')
    return { docs: [...sessions.keys()].map((id) => ({ _id: { id: new UUID(id) } })), rest };
  if (name === '$documents') return { docs: [], rest: pipeline };
  throw new CommandError(73, `Invalid namespace specified: '${body.$db}.$cmd.aggregate'`);
}

function* docsOf(matches: Iterable<{ doc: Doc }>): Generator<Doc> {
  for (const { doc } of matches) yield doc;
}

function* encoded(docs: Iterable<Doc>): Generator<ResultDoc> {
  for (const doc of docs) yield encode(doc);
}
