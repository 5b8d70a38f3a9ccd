import type { Doc } from '../../bson/decode.js';
import { isDoc, typeOf } from '../../bson/type-of.js';
import { CommandError } from '../../errors.js';
import { checkCollectionName } from '../../storage/catalog.js';
import type { CommandContext } from '../command.js';

/** The collection that a pipeline writes its results to. */
export interface Target {
  readonly database: string;
  readonly name: string;
}

/** Writes the results of a pipeline to a collection. */
export type Output = (docs: readonly Doc[]) => Promise<void>;

/** MongoDB's error codes for a target that is one of its own collections or databases. */
export interface TargetCodes {
  readonly collection: number;
  readonly database: number;
}

/**
 * Returns the target that a stage names: `{ db, coll }`, or a collection of the command's database.
 *
 * @throws CommandError for an invalid name, and for MongoDB's own databases and collections
 */
export function targetOf(context: CommandContext, stage: string, given: unknown, codes: TargetCodes): Target {
  const { database, name } = named(context, given);
  if (database === '') throw new CommandError(73, `Invalid ${stage} target namespace`);
  checkCollectionName(name);
  if (name.startsWith('system.'))
    throw new CommandError(codes.collection, `Cannot ${stage} to special collection: ${name}`);
  if (['admin', 'local', 'config'].includes(database))
    throw new CommandError(codes.database, `Cannot ${stage} to internal database: ${database}`);
  return { database, name };
}

function named(context: CommandContext, given: unknown): Target {
  if (!isDoc(given)) return { database: context.database, name: String(given) };
  return { database: text(given, 'db', context.database), name: text(given, 'coll') };
}

function text(given: Doc, field: string, otherwise?: string): string {
  const value = given[field] ?? otherwise;
  if (value === undefined)
    throw new CommandError(40414, `BSON field '${field}' is missing but a required field`);
  if (typeof value === 'string') return value;
  throw new CommandError(
    14,
    `BSON field '${field}' is the wrong type '${typeOf(value)}', expected type 'string'`,
  );
}

/** Throws 40415 for a field that the stage does not have. */
export function requireKnown(stage: string, spec: Doc, fields: readonly string[]): void {
  const unknown = Object.keys(spec).find((field) => !fields.includes(field));
  if (unknown !== undefined)
    throw new CommandError(40415, `BSON field '${stage}.${unknown}' is an unknown field.`);
}
