import * as z from 'zod';
import type { Issue } from '../../src/index.js';

/** The known parameters in a URL, and the errors found before parsing them. */
export interface ReadQuery {
  readonly query: Readonly<Record<string, string | string[]>>;
  /** An issue for each parameter that is unknown or wrongly repeated. */
  readonly issues: readonly Issue[];
}

/**
 * Reads the query of a URL. Each parameter becomes a text, or a list of texts if the schema says so. The schema checks
 * the values later.
 */
export function readQuery(url: string, schema: z.ZodRawShape[string] | undefined): ReadQuery {
  const shape = schema instanceof z.ZodObject ? schema.shape : {};
  const given = new Map<string, string[]>();
  for (const [name, value] of new URL(url).searchParams) given.set(name, [...(given.get(name) ?? []), value]);
  const known = [...given].filter(([name]) => Object.hasOwn(shape, name));
  return {
    query: Object.fromEntries(
      known.map(([name, values]) => [name, isList(shape[name]) ? values : (values[0] ?? '')]),
    ),
    issues: [...given].flatMap(([name, values]) => issuesOf(name, values, shape)),
  };
}

function issuesOf(name: string, { length }: readonly string[], shape: z.ZodRawShape): Issue[] {
  if (!Object.hasOwn(shape, name)) {
    const known = Object.keys(shape);
    const expected = known.length === 0 ? 'no parameters' : `one of ${known.join(', ')}`;
    return [{ path: name, message: `Unknown parameter: expected ${expected}` }];
  }
  if (length === 1 || isList(shape[name])) return [];
  return [{ path: name, message: `expected it once, not ${length} times` }];
}

/** Returns whether a parameter may be repeated. */
export function isList(schema: z.ZodRawShape[string] | undefined): boolean {
  return schema instanceof z.ZodOptional ? isList(schema.def.innerType) : schema instanceof z.ZodArray;
}
