/** Random workflows, worked by two processes, beside a model that knows only what each job waits for. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import type { LocalProcessor } from '../../local/processor.js';
import { defineJob, type JobStatus, RemoteException, resultOf } from '../../src/index.js';
import { useDatabase } from '../database.js';

const database = useDatabase();

const RUNS = Number(process.env.MODEL_RUNS ?? 4);
const MAX_NODES = 50;
const ID = 'graph';

interface Node {
  /** Numbers of earlier nodes. */
  readonly after: readonly number[];
  readonly when: 'completed' | 'settled';
  /** Whether its input has the result of the first of those. */
  readonly refers: boolean;
  /** Whether it fails until it is mended. */
  readonly isBad: boolean;
}

const graphs = fc
  .array(
    fc.record({
      after: fc.uniqueArray(fc.nat(MAX_NODES - 1), { maxLength: 4 }),
      when: fc.constantFrom('completed' as const, 'settled' as const),
      refers: fc.boolean(),
      isBad: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
    }),
    { minLength: 1, maxLength: MAX_NODES, size: 'max' },
  )
  .map((nodes) =>
    nodes.map((node, at): Node => ({ ...node, after: node.after.filter((other) => other < at) })),
  );

type Change = { readonly kind: 'retry all' | 'cancel all' | 'work' } | OneChange;
type OneChange = { readonly kind: 'retry' | 'cancel' | 'mend'; readonly node: number };

const changes = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constantFrom('retry all' as const, 'cancel all' as const, 'work' as const) }),
    fc.record({
      kind: fc.constantFrom('retry' as const, 'cancel' as const, 'mend' as const),
      node: fc.nat(MAX_NODES - 1),
    }),
  ),
  { maxLength: 6 },
);

type Status = Extract<JobStatus, 'queued' | 'completed' | 'error' | 'cancelled'>;

/** What each job of a workflow has come to. */
class Model {
  readonly status: Status[];
  readonly runs: number[];
  /** What each was given of the job that its input refers to. */
  readonly given: unknown[];
  readonly #waits: Set<number>[];
  readonly #bad: boolean[];

  constructor(readonly nodes: readonly Node[]) {
    this.status = nodes.map(() => 'queued');
    this.runs = nodes.map(() => 0);
    this.given = nodes.map(() => undefined);
    this.#waits = nodes.map(({ after }) => new Set(after));
    this.#bad = nodes.map(({ isBad }) => isBad);
  }

  isBad(node: number): boolean {
    return this.#bad[node] === true;
  }

  isWaiting(node: number, other: number): boolean {
    return this.#waits[node]?.has(other) === true;
  }

  work(): void {
    for (const [node, waits] of this.#waits.entries()) {
      if (this.status[node] !== 'queued' || waits.size > 0) continue;
      this.runs[node] = (this.runs[node] ?? 0) + 1;
      this.#end(node, this.isBad(node) ? 'error' : 'completed');
      // It may let earlier ones go that were retried.
      this.work();
      return;
    }
  }

  retry(nodes: readonly number[]): void {
    const again = nodes.filter((node) => ['error', 'cancelled'].includes(this.status[node] ?? ''));
    for (const node of again) {
      this.status[node] = 'queued';
      this.#waits[node] = new Set(this.nodes[node]?.after);
    }
    for (const node of again)
      for (const other of this.nodes[node]?.after ?? [])
        if (this.status[other] !== 'queued') this.#release(node, other);
  }

  cancel(nodes: readonly number[]): void {
    const open = nodes.filter((node) => this.status[node] === 'queued');
    for (const node of open) this.status[node] = 'cancelled';
    for (const node of open) this.#end(node, 'cancelled');
  }

  mend(node: number): void {
    this.#bad[node] = false;
  }

  #end(node: number, status: Status): void {
    this.status[node] = status;
    for (const other of this.nodes.keys()) if (this.status[other] === 'queued') this.#release(other, node);
  }

  #release(node: number, ended: number): void {
    const { when, refers, after } = this.nodes[node] ?? { when: 'completed', refers: false, after: [] };
    const isCompleted = this.status[ended] === 'completed';
    if (!isCompleted && when === 'completed') return;
    if (this.#waits[node]?.delete(ended) && refers && after[0] === ended)
      this.given[node] = isCompleted ? ended : null;
  }
}

interface Real {
  readonly processors: readonly LocalProcessor[];
  readonly runs: number[];
  readonly given: unknown[];
  readonly early: string[];
}

/** Adds the workflow, and returns two processes that work on it. */
async function begin(model: Model): Promise<Real> {
  const { nodes } = model;
  const runs = nodes.map(() => 0);
  const given: unknown[] = nodes.map(() => undefined);
  const early: string[] = [];
  const ended = new Set<number>();
  const job = defineJob({
    name: 'node',
    input: z.object({ node: z.number(), from: z.unknown().optional() }),
    maxRetries: 1,
    run: ({ input: { node, from } }) => {
      runs[node] = (runs[node] ?? 0) + 1;
      given[node] = from;
      // One that was cancelled has let this go, even if it was retried since and runs at the same time.
      for (const other of nodes[node]?.after ?? [])
        if (model.isWaiting(node, other) && !ended.has(other)) early.push(`${node} before ${other}`);
      ended.add(node);
      if (model.isBad(node)) throw new RemoteException('It is bad.');
      return node;
    },
  });
  const processors = [1, 2].map(() => database.processor({ maxThreads: 5 }));
  for (const processor of processors) await processor.addJobFactory(job);
  const jobs = nodes.map(({ after, when, refers }, node) => {
    const [first] = after;
    const from = refers && first !== undefined && { from: resultOf<unknown>(`n${first}`) };
    return [
      `n${node}`,
      { job, input: { node, ...from }, after: after.map((other) => `n${other}`), when },
    ] as const;
  });
  await processors[0]?.addWorkflow({ id: ID, jobs: Object.fromEntries(jobs) });
  return { processors, runs, given, early };
}

async function apply(change: Change, model: Model, { processors }: Real): Promise<void> {
  const [processor] = processors;
  if (!processor) return;
  const all = [...model.nodes.keys()];
  switch (change.kind) {
    case 'work':
      await Promise.all(processors.map((each) => each.drain()));
      model.work();
      break;
    case 'retry all':
      model.retry(all);
      await processor.workflows.retry(ID);
      break;
    case 'cancel all':
      model.cancel(all);
      await processor.workflows.cancel(ID);
      break;
    case 'retry':
      if (change.node >= all.length) return;
      model.retry([change.node]);
      await processor.retryJob(`${ID}.n${change.node}`).catch(() => {});
      break;
    case 'cancel':
      if (change.node >= all.length) return;
      model.cancel([change.node]);
      await processor.cancelJob(`${ID}.n${change.node}`).catch(() => {});
      break;
    case 'mend':
      model.mend(change.node);
  }
}

test('each job of a workflow runs once, after those that it waits for, and ends as it should', async () => {
  await fc.assert(
    fc.asyncProperty(graphs, changes, async (nodes, list) => {
      const model = new Model(nodes);
      const real = await begin(model);
      const work = { kind: 'work' } as const;
      for (const change of [...list, work]) await apply(change, model, real);
      const stored = await database.collections().jobs.find().toArray();
      const byId = new Map(stored.map(({ _id, status }) => [_id, status]));
      await database.collections().jobs.deleteMany({});
      const workflow = await real.processors[0]?.workflows.get(ID);
      await database.collections().jobGroups.deleteMany({});
      expect(real.early).toEqual([]);
      expect(nodes.map((_, node) => byId.get(`${ID}.n${node}`))).toEqual(model.status);
      expect(real.runs).toEqual(model.runs);
      const ran = (values: unknown[]) => values.filter((_, node) => (model.runs[node] ?? 0) > 0);
      expect(ran(real.given)).toEqual(ran(model.given));
      expect(workflow?.size).toBe(nodes.length);
    }),
    { numRuns: RUNS },
  );
});
