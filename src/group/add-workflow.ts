import { ObjectId } from 'mongodb';
import * as z from 'zod';
import { isKind } from '../brand.js';
import { ConflictError, type Issue, ValidationError } from '../errors.js';
import { isOrdered } from '../job/flow-rules.js';
import { type Awaited, groupOf, jobKey, workflowJobId } from '../job/group.js';
import { outputJsonSchema, toJsonSchema } from '../job/input-schema.js';
import type { NewJob } from '../job/insert-job.js';
import type { JobContract } from '../job/job-contract.js';
import { workflowJobOptionsSchema } from '../job/job-options.js';
import { type AddableJob, isJob, nameOf } from '../job/registry.js';
import { toNewJob } from '../job/to-new-job.js';
import { inTransaction } from '../mongo/in-transaction.js';
import { validateNow } from '../validate.js';
import { type AddedGroup, NOT_ORDERED } from './add-batch.js';
import type { GroupAdding } from './adding.js';
import { asMember } from './as-member.js';
import { digestOf } from './digest.js';
import { schemaAt, whyNotFitting, whyNotThere } from './fits.js';
import type { GroupCollections, WorkflowJob } from './group-document.js';
import { type Workflow, workflowSchema } from './group-options.js';
import { insertGroup } from './insert-group.js';
import { type Dereferenced, takeReferences } from './references.js';
import { inOrder } from './workflow-order.js';

const SUBJECT = 'The call of addWorkflow';

/** Maximum number of dependencies in a workflow, counted over all its jobs. Their names are stored in one document. */
const MAX_AFTER = 10_000;
const TOO_MANY_AFTER = `expected at most ${MAX_AFTER} pairs of a job and one that it waits for: let a job between them wait for many, and others for that`;

/**
 * Adds a workflow. Checks everything first. Adds all jobs in one transaction. Otherwise a job could end before the jobs that
 * wait for it are stored.
 *
 * @throws as `RemoteProcessor.addWorkflow`
 */
export async function addWorkflow(
  collections: GroupCollections,
  adding: GroupAdding,
  workflow: Workflow,
): Promise<AddedGroup> {
  const {
    id = new ObjectId().toHexString(),
    jobs,
    callerRole,
    patience,
    retention,
  } = validateNow(workflowSchema, workflow, SUBJECT);
  const parts = new Map(Object.entries(jobs).map(([name, job]) => [name, partOf(name, job)]));
  if ([...parts.values()].reduce((sum, { after }) => sum + after.length, 0) > MAX_AFTER)
    throw new ValidationError(SUBJECT, [{ path: 'jobs', message: TOO_MANY_AFTER }]);
  const { order, issues } = inOrder(new Map([...parts].map(([name, { after }]) => [name, after])));
  throwAny([...[...parts.values()].flatMap(({ issues }) => issues), ...issues]);
  const checked = new Map<string, CheckedPart>();
  const problems: Issue[] = [];
  for (const [name, part] of parts) {
    const job = await checkPart(adding, name, part, callerRole, problems);
    if (job) checked.set(name, job);
  }
  problems.push(...misfits(adding, parts));
  throwAny(problems);
  const group = groupOf('workflow', id);
  const members = order.flatMap((name) => {
    const [job, part] = [checked.get(name), parts.get(name)];
    return job && part ? [asPart(job, part, id, name, group)] : [];
  });
  const digest = digestOf(
    members,
    members.map(({ id, after = [], inputFrom = [] }) => ({
      id,
      after,
      inputFrom: inputFrom.map(({ searchable: _, ...part }) => part),
    })),
  );
  const described = order.map((name) => describe(name, parts.get(name)));
  const document = { kind: 'workflow', size: members.length, digest, retention, jobs: described };
  return inTransaction(collections.client, async (session) => {
    const { stored, isNew } = await insertGroup(collections, group, document, true, session);
    if (stored.digest !== digest)
      throw new ConflictError(id, `There is a workflow with the id '${id}' already, and it has other jobs.`);
    // All its jobs are there then, and some may have got the results of others.
    if (!isNew) return { id, outcome: 'kept' };
    await adding.add(members, patience, session);
    return { id, outcome: 'added' };
  });
}

const partSchema = z.strictObject({
  name: z.string().optional(),
  job: z.custom<JobContract>(isJob, 'expected a job factory or a contract').optional(),
  input: z.unknown().optional(),
  options: workflowJobOptionsSchema.prefault({}),
  after: z.array(z.string()),
  when: z.enum(['completed', 'settled']),
});

/** A job of a workflow, as the caller gave it. */
interface Part extends Dereferenced {
  readonly kind: string | JobContract;
  readonly options: z.output<typeof workflowJobOptionsSchema>;
  readonly after: readonly string[];
  readonly when: Awaited['when'];
}

function partOf(name: string, given: unknown): Part {
  const { data, error } = partSchema.safeParse(given);
  if (!data) {
    const issues = error.issues.map(({ path, message }) => ({
      path: ['jobs', name, ...path].join('.'),
      message,
    }));
    return { kind: '', options: {}, after: [], when: 'completed', input: undefined, references: [], issues };
  }
  const { options, after, when, job } = data;
  const kind = job ?? data.name;
  const { input, references, issues } = takeReferences(data.input);
  const all = issues.map(({ path, message }) => ({ path: under(name, path), message }));
  if ((job === undefined) === (data.name === undefined))
    all.push({
      path: `jobs.${name}.name`,
      message: 'expected the name of a job, or its factory or contract as job, and not both',
    });
  const isAfterItself = after.includes(name);
  if (isAfterItself) all.push({ path: `jobs.${name}.after`, message: 'expected the names of other jobs' });
  const known = [...new Set([...after, ...references.map((reference) => reference.job)])];
  return {
    kind: kind ?? '',
    options,
    after: isAfterItself ? [] : known,
    when,
    input,
    references,
    issues: all,
  };
}

/** A checked job of a workflow, and the paths of the input values that it can be found by. */
interface CheckedPart {
  readonly job: NewJob;
  readonly searchable: readonly string[];
}

/** Checks the input of a job, except for the parts that other jobs fill in. Adds the problems to the issues. */
async function checkPart(
  adding: GroupAdding,
  name: string,
  { kind, input, options, references, after }: Part,
  callerRole: Workflow['callerRole'],
  problems: Issue[],
): Promise<CheckedPart | undefined> {
  const addable = await adding.addable(kind, callerRole);
  const holes = references.map(({ at }) => at);
  const lenient =
    holes.length === 0
      ? addable
      : { ...addable, checkInput: (value: unknown) => checkExcept(addable, value, holes) };
  try {
    const job = await toNewJob(lenient, nameOf(kind), input, options);
    if (after.length === 0 || !isOrdered(job.limits)) return { job, searchable: addable.searchable ?? [] };
    problems.push({ path: `jobs.${name}`, message: NOT_ORDERED });
  } catch (error) {
    if (!isKind(error, ValidationError)) throw error;
    problems.push(...error.issues.map(({ path, message }) => ({ path: under(name, path), message })));
  }
  return undefined;
}

async function checkExcept(addable: AddableJob, input: unknown, holes: readonly string[]) {
  try {
    return await addable.checkInput(input);
  } catch (error) {
    if (!isKind(error, ValidationError)) throw error;
    const isInHole = (path: string) =>
      holes.some((hole) => hole === '' || path === hole || path.startsWith(`${hole}.`));
    const issues = error.issues.filter(({ path }) => !isInHole(path));
    if (issues.length > 0) throw new ValidationError(SUBJECT, issues);
    return { limits: [] };
  }
}

/** Returns the places where a job's result cannot fit the schema of the input that refers to it. */
function misfits(adding: GroupAdding, parts: ReadonlyMap<string, Part>): Issue[] {
  const read = {
    input: new Map<JobContract['input'], unknown>(),
    output: new Map<JobContract['input'], unknown>(),
  };
  const schemaOf = (schema: JobContract['input'] | undefined, io: 'input' | 'output'): unknown => {
    if (schema && !read[io].has(schema)) read[io].set(schema, readSchema(schema, io));
    return schema && read[io].get(schema);
  };
  return [...parts].flatMap(([name, { kind, references }]) =>
    references.flatMap(({ at, job, path }) => {
      const from = parts.get(job);
      const input = schemaOf(adding.schemasOf(kind).input, 'input');
      const output = from && schemaOf(adding.schemasOf(from.kind).output, 'output');
      const problem =
        whyNotThere(output, path) ?? whyNotFitting(schemaAt(output, path), schemaAt(input, at), '');
      return problem === undefined
        ? []
        : [{ path: under(name, at), message: `the result of '${job}' does not fit: ${problem}` }];
    }),
  );
}

function readSchema(schema: JobContract['input'], io: 'input' | 'output'): unknown {
  const text = io === 'input' ? toJsonSchema(schema) : outputJsonSchema(schema);
  return text ? JSON.parse(text) : undefined;
}

function asPart(
  { job, searchable }: CheckedPart,
  { after, when, references }: Part,
  id: string,
  name: string,
  group: string,
): NewJob {
  const awaited = after.map((other) => ({ on: jobKey(workflowJobId(id, other)), when }));
  const inputFrom = references.map(({ at, job: other, path }) => {
    const inside = searchable.filter((each) => at === '' || each === at || each.startsWith(`${at}.`));
    const part = { at, job: workflowJobId(id, other), path };
    return inside.length > 0 ? { ...part, searchable: inside } : part;
  });
  return {
    ...asMember(job, workflowJobId(id, name), group),
    ...(awaited.length > 0 && { after: awaited, waitsFor: awaited }),
    ...(inputFrom.length > 0 && { inputFrom }),
  };
}

function describe(name: string, part: Part | undefined): WorkflowJob {
  return {
    name,
    jobName: nameOf(part?.kind ?? ''),
    after: part?.after ?? [],
    when: part?.when ?? 'completed',
  };
}

function under(name: string, path: string): string {
  return ['jobs', name, 'input', ...(path === '' ? [] : [path])].join('.');
}

function throwAny(issues: readonly Issue[]): void {
  if (issues.length > 0) throw new ValidationError(SUBJECT, [...issues]);
}
