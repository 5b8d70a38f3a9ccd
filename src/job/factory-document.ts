import { createHash } from 'node:crypto';
import * as z from 'zod';
import { type AddRole, DEFAULT_ADD_ROLE } from '../access/role.js';
import type { JobFactory } from './define-job.js';
import type { JobDefaults } from './job-options.js';

/** One document of the collection `jobFactories`: what a producer without the job's code needs to add it. */
export interface JobFactoryDocument {
  /** The name that jobs are added by. */
  readonly _id: string;
  /** JSON Schema of the input, as text; null when the zod schema has no such form. */
  readonly inputSchema: string | null;
  /** Whether the input may be left out, which JSON Schema cannot say. */
  readonly inputOptional: boolean;
  readonly defaults: JobDefaults;
  /** Absent in documents of earlier versions of this package: see `addRoleOf`. */
  readonly addRole?: AddRole;
  /** Of the definition. Absent in documents of earlier versions of this package, which any replaces. */
  readonly version?: number;
  /** Of all the above: registering writes only when it is new. */
  readonly hash: string;
}

/** The document that stands for a factory under a name. */
export function toFactoryDocument(name: string, factory: JobFactory): JobFactoryDocument {
  const { input, defaults, addRole, version } = factory;
  const inputSchema = toJsonSchema(input);
  const inputOptional = acceptsUndefined(input);
  const content = JSON.stringify([name, inputSchema, inputOptional, defaults, addRole, version]);
  return {
    _id: name,
    inputSchema,
    inputOptional,
    defaults,
    addRole,
    version,
    hash: createHash('sha256').update(content).digest('hex'),
  };
}

/** Who may add its jobs. */
export function addRoleOf({ addRole = DEFAULT_ADD_ROLE }: Pick<JobFactoryDocument, 'addRole'>): AddRole {
  return addRole;
}

/** Null for a schema that JSON Schema cannot express: such a job is added only by processes with its code. */
function toJsonSchema(schema: z.ZodType): string | null {
  if (schema instanceof z.ZodUndefined) return JSON.stringify({ not: {} });
  try {
    return JSON.stringify(z.toJSONSchema(schema, { io: 'input', override: loosen }));
  } catch {
    return null;
  }
}

function acceptsUndefined(schema: z.ZodType): boolean {
  try {
    return schema.safeParse(undefined).success;
  } catch {
    return false; // An asynchronous refinement: it ran, so there was an input to refine.
  }
}

type Node = Parameters<NonNullable<NonNullable<Parameters<typeof z.toJSONSchema>[1]>['override']>>[0];

/**
 * JSON Schema cannot say everything that zod can. What it would say wrongly is left out, so that no valid input is
 * refused: patterns with flags, coercion, and what falls back to another value. The worker checks it all.
 */
function loosen({ zodSchema, jsonSchema }: Node): void {
  const { def } = zodSchema._zod;
  if (def.type === 'catch' || ('coerce' in def && def.coerce)) {
    for (const keyword of Object.keys(jsonSchema)) Reflect.deleteProperty(jsonSchema, keyword);
  }
  if (def.checks?.some(hasPatternWithFlags)) {
    delete jsonSchema.pattern;
    delete jsonSchema.allOf;
  }
}

function hasPatternWithFlags({ _zod: { def } }: z.core.$ZodCheck): boolean {
  return 'pattern' in def && def.pattern instanceof RegExp && def.pattern.flags !== '';
}
