import type { Doc } from '../../bson/decode.js';
import { isDoc, typeOf } from '../../bson/type-of.js';
import { CommandError } from '../../errors.js';
import type { CommandContext } from '../command.js';
import { requireKnown, type Target, targetOf } from './target.js';

const MATCHED = ['replace', 'keepExisting', 'merge', 'fail'] as const;
const NOT_MATCHED = ['insert', 'discard', 'fail'] as const;

/** The parsed argument of `$merge`. */
export interface MergeSpec {
  readonly target: Target;
  /** The fields by which a result finds its document in the target collection. */
  readonly on: readonly string[];
  readonly whenMatched: (typeof MATCHED)[number] | readonly unknown[];
  readonly whenNotMatched: (typeof NOT_MATCHED)[number];
  /** Variables of the pipeline `whenMatched`, as expressions on the result. */
  readonly variables: Doc;
}

/** Parses the argument of `$merge`. Throws MongoDB's error for an invalid one. */
export function parseMerge(context: CommandContext, given: unknown): MergeSpec {
  if (typeof given !== 'string' && !isDoc(given))
    throw new CommandError(14, `$merge requires a string or object argument, but found ${typeOf(given)}`);
  const spec = isDoc(given) ? given : { into: given };
  requireKnown('$merge', spec, ['into', 'on', 'let', 'whenMatched', 'whenNotMatched']);
  const whenMatched = matchedOf(spec.whenMatched ?? 'merge');
  const whenNotMatched = notMatchedOf(spec.whenNotMatched ?? 'insert');
  if ((whenMatched === 'keepExisting' || whenMatched === 'fail') && whenNotMatched !== 'insert') {
    throw new CommandError(
      51181,
      `Combination of $merge modes 'whenMatched: ${whenMatched}' and 'whenNotMatched: ${whenNotMatched}' is not supported`,
    );
  }
  return {
    target: intoOf(context, spec.into),
    on: fieldsOf(spec.on ?? '_id'),
    whenMatched,
    whenNotMatched,
    variables: variablesOf(spec.let, whenMatched, whenNotMatched),
  };
}

function intoOf(context: CommandContext, into: unknown): Target {
  if (into === undefined)
    throw new CommandError(40414, "BSON field '$merge.into' is missing but a required field");
  if (typeof into !== 'string' && !isDoc(into))
    throw new CommandError(
      51178,
      `$merge 'into' field must be either a string or an object, but found ${typeOf(into)}`,
    );
  if (isDoc(into)) requireKnown('$merge.into', into, ['db', 'coll']);
  return targetOf(context, '$merge', into, { collection: 31319, database: 31320 });
}

function matchedOf(given: unknown): MergeSpec['whenMatched'] {
  if (Array.isArray(given)) return given;
  if (typeof given !== 'string')
    throw new CommandError(
      51191,
      `$merge 'whenMatched' field must be either a string or an array, but found ${typeOf(given)}`,
    );
  return MATCHED.find((mode) => mode === given) ?? refuseMode('whenMatched', given);
}

function notMatchedOf(given: unknown): MergeSpec['whenNotMatched'] {
  if (typeof given !== 'string')
    throw new CommandError(
      14,
      `BSON field '$merge.whenNotMatched' is the wrong type '${typeOf(given)}', expected type 'string'`,
    );
  return NOT_MATCHED.find((mode) => mode === given) ?? refuseMode('whenNotMatched', given);
}

function refuseMode(field: string, given: string): never {
  throw new CommandError(2, `Enumeration value '${given}' for field '$merge.${field}' is not a valid value.`);
}

function fieldsOf(on: unknown): readonly string[] {
  if (typeof on === 'string') return [on];
  if (!Array.isArray(on))
    throw new CommandError(
      51186,
      `$merge 'on' field must be either a string or an array of strings, but found ${typeOf(on)}`,
    );
  if (on.length === 0)
    throw new CommandError(51187, "If explicitly specifying $merge 'on', must include at least one field");
  const fields = on.filter((field) => typeof field === 'string');
  if (fields.length < on.length) throw new CommandError(51134, "$merge 'on' array elements must be strings");
  if (new Set(fields).size < fields.length)
    throw new CommandError(31465, "Found a duplicate field in $merge 'on'");
  return fields;
}

/**
 * Returns the variables of the pipeline `whenMatched`: the variables of `let`, and `$$new` for the result. Leaves out
 * `$$new` if no result is ever inserted.
 */
function variablesOf(
  given: unknown,
  whenMatched: MergeSpec['whenMatched'],
  whenNotMatched: MergeSpec['whenNotMatched'],
): Doc {
  if (given !== undefined && !isDoc(given))
    throw new CommandError(
      14,
      `BSON field '$merge.let' is the wrong type '${typeOf(given)}', expected type 'object'`,
    );
  if (typeof whenMatched === 'string') {
    if (given === undefined) return {};
    throw new CommandError(51199, `Cannot use 'let' variables with 'whenMatched: ${whenMatched}' mode`);
  }
  if (given?.new !== undefined && given.new !== '$$ROOT') {
    throw new CommandError(
      51273,
      "'let' may not define a value for the reserved 'new' variable other than '$$ROOT'",
    );
  }
  return given === undefined || whenNotMatched === 'insert' ? { ...given, new: '$$ROOT' } : given;
}
