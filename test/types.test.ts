/** What the compiler says of wrong calls: at what is wrong, in words that help. All are compiled at once. */
import { execFile } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, inject, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

const setting = `
import { z } from 'zod';
import { defineJob, implement, type JobFactory, type InputArguments, RemoteProcessor, resultOf } from '<src>/index.js';
declare const db: import('mongodb').Db;
const greet = defineJob({
  name: 'greet',
  input: z.object({ name: z.string(), at: z.string().optional() }),
  output: z.string(),
  run: async ({ input }) => input.name,
});
const nothing = defineJob({ name: 'nothing', run: () => 5 });
const rows = { name: 'rows', input: z.object({ row: z.number() }), output: z.string(), batch: { size: 9 } } as const;
const total = defineJob({ name: 'total', input: z.array(z.number()), output: z.number() });
const any = new RemoteProcessor({ db });
const known = new RemoteProcessor({ db, jobs: { greet, total } });
const daily = { type: 'Cron', cron: '@daily' } as const;
`;

/** Compiled without complaint. */
const right = [
  `any.addJob('whatever', { of: 'any kind' }, { priority: 1 });`,
  `any.addJob('whatever');`,
  `any.addJob(greet, { name: 'Ann' }, { priority: 1 });`,
  `any.addJob(nothing);`,
  `any.addJob(nothing, undefined, { id: 'a' });`,
  `any.addJob(total, [1, 2]);`,
  `known.addJob('greet', { name: 'Ann' });`,
  `known.addJob('total', [1]);`,
  `known.addJob(nothing);`,
  `any.addJobs(['Ann', 'Bob'].map((name) => ({ job: greet, input: { name } })));`,
  `any.addJobs(['Ann', 'Bob'].map((name) => ({ name: 'greet', input: { name } })));`,
  `known.addJobs([{ job: greet, input: { name: 'Ann' } }, { job: nothing }, { name: 'total', input: [1] }]);`,
  `any.addScheduler({ ...daily, jobName: 'whatever', input: 5, timeField: 'at' });`,
  `any.addScheduler({ ...daily, job: greet, input: { name: 'Ann' } });`,
  `any.addScheduler({ ...daily, job: nothing });`,
  `known.addScheduler({ ...daily, jobName: 'greet', input: { name: 'Ann' }, timeField: 'at' });`,
  `any.getJobResult('id', greet).then((result): string | null => result);`,
  `any.getJobResult('id').then((result: unknown) => result);`,
  `implement(total, { run: ({ input }) => input.reduce((sum, one) => sum + one, 0) }).call([1], any);`,
  `defineJob({ ...rows, runBatch: async ({ jobs }) => jobs.map(({ input }) => String(input.row)) });`,
  `defineJob({ ...rows, runBatch: ({ jobs }) => { for (const job of jobs) job.complete(String(job.input.row)); } });`,
  `implement(total, { batch: { size: 9 }, runBatch: ({ jobs }) => jobs.map(({ input }) => input.length) });`,
  `greet.call({ name: 'Ann' }, known).then((result): string => result);`,
  `known.addJobFactories([greet, nothing]);`,
  `function add<Input>(job: JobFactory<Input>, ...args: InputArguments<Input>) { return any.addJob(job, ...args); }`,
  `known.addBatch([{ job: greet, input: { name: 'Ann' } }], { then: { name: 'total', input: [1] }, when: 'settled' });`,
  `any.addWorkflow({ jobs: { a: { job: total, input: [1] }, b: { job: greet, input: { name: resultOf<string>('a') }, after: ['a'] } } });`,
  `known.addWorkflow({ jobs: { a: { name: 'greet', input: { name: 'Ann' } } } });`,
  `defineJob({ name: 'a', run: async ({ step }) => (await step.invoke('one', total, [1])) + 1 });`,
  `defineJob({ name: 'a', run: async ({ step }) => { for await (const r of await step.fanOut('all', total, [[1]])) if (r.status === 'completed') r.output.toFixed(); } });`,
  `const loose: RemoteProcessor = known;`,
];

/** What stands behind the mark is complained of; then what is said of it. */
const wrong: readonly (readonly [statement: string, message: string])[] = [
  [
    `any.addWorkflow({ jobs: { §a: { job: greet, input: { name: 5 } } } });`,
    `Type 'number' is not assignable to type 'string'.`,
  ],
  [
    `any.addBatch([], { then: { job: greet, input: { §name: 5 } } });`,
    `Type 'number' is not assignable to type 'string'.`,
  ],
  [
    `defineJob({ name: 'a', run: ({ step }) => step.invoke('one', total, [§'1']) });`,
    `Type 'string' is not assignable to type 'number'.`,
  ],
  [`any.addJob(greet, { §name: 5 });`, `Type 'number' is not assignable to type 'string'.`],
  [`any.addJob(greet, §{});`, `Property 'name' is missing in type '{}' but required in type`],
  [`any.addJob(greet, { name: 'Ann', §nam: 'Bob' });`, `Object literal may only specify known properties`],
  [`any.§addJob(greet);`, `Expected 2-3 arguments, but got 1.`],
  [
    `any.addJob(greet, { name: 'Ann' }, { §priority: 'high' });`,
    `Type 'string' is not assignable to type 'number'.`,
  ],
  [`any.addJob(total, [1, §'2']);`, `Type 'string' is not assignable to type 'number'.`],
  [`known.addJob('greet', { §name: 5 });`, `Type 'number' is not assignable to type 'string'.`],
  [
    `known.addJob(§'gret', { name: 'Ann' });`,
    `Argument of type '"gret"' is not assignable to parameter of type '"greet" | "total" |`,
  ],
  [
    `any.addJobs([§{ job: greet, input: { name: 5 } }]);`,
    `The types of 'input.name' are incompatible between these types.`,
  ],
  [
    `known.addJobs([§{ name: 'greet', input: { name: 5 } }]);`,
    `The types of 'input.name' are incompatible between these types.`,
  ],
  [`any.addScheduler(§{ ...daily, job: greet, input: { name: 5 } });`, `'input.name' are incompatible`],
  [
    `known.addScheduler({ ...daily, §jobName: 'gret', input: {} });`,
    `Type '"gret"' is not assignable to type '"greet" | "total" | undefined'.`,
  ],
  [
    `any.getJobResult('id', greet).then((result): number | null => §result);`,
    `'string' is not assignable to type 'number'`,
  ],
  [
    `any.addJobFactory(§total);`,
    `is missing the following properties from type 'JobFactory<unknown, unknown>': call, run, parseOutput`,
  ],
  [`total.§call([1], any);`, `Property 'call' does not exist on type 'JobContract<`],
  [
    `implement(total, { §run: ({ input }) => String(input) });`,
    `Type 'string' is not assignable to type 'number | Promise<number>'`,
  ],
  [
    `defineJob({ name: 'a', output: z.number(), run: () => §'five' });`,
    `Type 'string' is not assignable to type 'number | Promise<number>'`,
  ],
  [
    `defineJob({ ...rows, runBatch: ({ jobs }) => { for (const job of jobs) job.complete(§job.input.row); } });`,
    `Argument of type 'number' is not assignable to parameter of type 'string'.`,
  ],
  [
    `defineJob({ ...rows, runBatch: ({ jobs }) => { for (const job of jobs) job.complete(job.input.§rows); } });`,
    `Property 'rows' does not exist on type '{ row: number; }'.`,
  ],
  [`defineJob({ name: 'a', §inptu: z.number(), run: () => 5 });`, `Did you mean to write 'input'?`],
];

let complaints: ReadonlyMap<number, { readonly column: number; readonly text: string }>;
const head = setting.split('\n').length;

beforeAll(async () => {
  const folder = await mkdtemp(join(inject('programsFolder'), 'types-'));
  const lines = [...right, ...wrong.map(([statement]) => withoutMark(statement))];
  const source = [setting.replace('<src>', relative(folder, join(root, 'src'))), ...lines].join('\n');
  await writeFile(join(folder, 'calls.ts'), source);
  const compilerOptions = { noUnusedLocals: false };
  const config = { extends: join(root, 'tsconfig.json'), compilerOptions, files: ['calls.ts'], include: [] };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config));
  complaints = parsed(await compile(folder));
});

function withoutMark(statement: string): string {
  return statement.replace('§', '');
}

function compile(folder: string): Promise<string> {
  const args = [
    join(root, 'node_modules/typescript/bin/tsc'),
    '-p',
    folder,
    '--pretty',
    'false',
    '--singleThreaded',
  ];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: folder }, (_, stdout) => resolve(stdout));
  });
}

/** By line: the first complaint of each, with the lines that go on with it. */
function parsed(output: string): typeof complaints {
  const found = new Map<number, { column: number; text: string }>();
  for (const [, line, column, text = ''] of output.matchAll(
    /^\S*calls\.ts\((\d+),(\d+)\): error TS\d+: (.*(?:\n .*)*)/gm,
  ))
    if (!found.has(Number(line))) found.set(Number(line), { column: Number(column), text });
  return found;
}

test.each(right.map((statement, index) => [statement, index] as const))('right: %s', (_, index) => {
  expect(complaints.get(head + 1 + index)).toBeUndefined();
});

test.each(wrong.map(([statement, message], index) => [statement, message, index] as const))(
  'wrong: %s',
  (statement, message, index) => {
    expect(complaints.get(head + 1 + right.length + index)).toEqual({
      column: statement.indexOf('§') + 1,
      text: expect.stringContaining(message),
    });
  },
);
