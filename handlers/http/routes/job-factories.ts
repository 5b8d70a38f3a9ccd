import * as z from 'zod';
import { addRoleSchema } from '../../../src/access/role.js';
import type { JobFactoryInfo } from '../../../src/index.js';
import { documented } from '../documented.js';
import { nameOf, nextCursor, page } from '../fields.js';
import { Problem } from '../problem.js';
import { defineRoute } from '../route.js';

const keptFor = z.union([z.int(), z.literal('forever')]).register(documented, {
  description: 'How long a job that ended like this is kept. With 0, it is deleted when it ends.',
});
const retention = z.object({ completed: keptFor, cancelled: keptFor, error: keptFor });

const jobFactoryView = z
  .object({
    name: z.string(),
    inputSchema: z.record(z.string(), z.unknown()).nullable().register(documented, {
      description:
        'JSON Schema of the input. Null if there is none; only a process with its code can then add it.',
    }),
    inputOptional: z.boolean(),
    addRole: addRoleSchema.register(documented, {
      description: 'The least role of a key that may add, schedule, change or retry its jobs.',
    }),
    searchable: z.array(z.string()).register(documented, {
      description:
        'Paths into the input by whose values its jobs can be found, with the parameter `key` of the list of jobs.',
    }),
    redact: z.array(z.string()).register(documented, {
      description:
        'Paths into the input whose values only a key of the role admin sees. Others see `[redacted]`.',
    }),
    version: z.int().register(documented, {
      description: 'Version of its definition; 0 if an earlier version of this package stored it.',
    }),
    defaults: z.object({
      queue: z.string(),
      priority: z.int(),
      maxRetries: z.int(),
      retryDelay: z.unknown(),
      retention: retention.nullable(),
    }),
  })
  .register(documented, {
    id: 'JobFactory',
    description: 'A kind of job that can be added. Durations are milliseconds.',
  });

const example = {
  name: 'echo',
  inputSchema: { type: 'object', additionalProperties: {} },
  inputOptional: false,
  addRole: 'write' as const,
  searchable: [],
  redact: [],
  version: 1,
  defaults: { queue: 'default', priority: 0, maxRetries: 3, retryDelay: 10_000, retention: null },
};

function toView({
  name,
  inputSchema,
  inputOptional,
  addRole,
  searchable,
  redact,
  version,
  defaults,
}: JobFactoryInfo): z.input<typeof jobFactoryView> {
  return {
    name,
    inputSchema: inputSchema === null ? null : JSON.parse(inputSchema),
    inputOptional,
    addRole,
    searchable: [...searchable],
    redact: [...redact],
    version,
    defaults: { ...defaults, retention: defaults.retention ?? null },
  };
}

const listJobFactories = defineRoute({
  method: 'GET',
  path: '/v1/job-factories',
  operation: 'listJobFactories',
  isList: true,
  role: 'read',
  summary: 'List the kinds of jobs that can be added',
  description: 'A page has at most 5 MB, so with large schemas it has fewer entries than `limit`.',
  asks: () => z.object({ query: z.strictObject(page) }),
  reply: {
    status: 200,
    description: 'A page of them by name, whichever process has their code. `cursor` is null at the end.',
    schema: () => z.object({ jobFactories: z.array(jobFactoryView), cursor: nextCursor }),
    example: { jobFactories: [example], cursor: null },
  },
  async answer({ query }, { processor, maxBytes }) {
    const { jobFactories, cursor = null } = await processor.factories.list({ ...query, maxBytes });
    return { body: { jobFactories: jobFactories.map(toView), cursor } };
  },
});

const getJobFactory = defineRoute({
  method: 'GET',
  path: '/v1/job-factories/{name}',
  operation: 'getJobFactory',
  role: 'read',
  summary: 'Show a kind of job',
  asks: () => z.object({ parameters: nameOf('a kind of job') }),
  reply: { status: 200, description: 'The kind of job.', schema: () => jobFactoryView, example },
  problems: ['not_found'],
  async answer({ parameters: { name } }, { processor }) {
    const found = await processor.factories.get(name);
    if (!found) throw new Problem('not_found', { detail: `No job factory is named '${name}'.` });
    return { body: toView(found) };
  },
});

export const jobFactoryRoutes = [listJobFactories, getJobFactory];
