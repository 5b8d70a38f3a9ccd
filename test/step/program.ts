import fc from 'fast-check';
import type { Collection } from 'mongodb';
import type { JobContext } from '../../src/index.js';

/** A step of a random program, or several at the same time. */
export type Op =
  | {
      readonly kind: 'run' | 'failOnce' | 'transaction' | 'sleep' | 'wait';
      readonly name: string;
    }
  | { readonly kind: 'iterate'; readonly name: string; readonly calls: number }
  | { readonly kind: 'together'; readonly ops: readonly Op[] };

type Shape =
  | { readonly kind: 'run' | 'failOnce' | 'transaction' | 'sleep' | 'wait' }
  | { readonly kind: 'iterate'; readonly calls: number }
  | { readonly kind: 'together'; readonly ops: readonly Shape[] };

const single = fc.oneof(
  fc.record({ kind: fc.constantFrom('run', 'failOnce', 'transaction', 'sleep', 'wait') }),
  fc.record({ kind: fc.constant('iterate'), calls: fc.integer({ min: 1, max: 4 }) }),
) as fc.Arbitrary<Shape>;

const together = fc.record({
  kind: fc.constant('together'),
  ops: fc.array(single, { minLength: 2, maxLength: 3 }),
}) as fc.Arbitrary<Shape>;

/** Random programs, with a name for each step. */
export const programs: fc.Arbitrary<readonly Op[]> = fc
  .array(fc.oneof({ weight: 4, arbitrary: single }, { weight: 1, arbitrary: together }), {
    minLength: 1,
    maxLength: 6,
  })
  .map((shapes) => named(shapes, ''));

function named(shapes: readonly Shape[], prefix: string): Op[] {
  return shapes.map((shape, index) => {
    const name = `${prefix}${index}`;
    return shape.kind === 'together' ? { ...shape, ops: named(shape.ops, `${name}.`) } : { ...shape, name };
  });
}

/** What the steps of a program did outside of the job, however often. */
export interface Effects {
  /** How often the function of each step was called. */
  readonly calls: Map<string, number>;
  /** Counts how often each transaction took effect. */
  readonly ledger: Collection<{ _id: string; times: number }>;
}

/** Does what a program says, and returns the results of its steps. */
export async function perform(
  ops: readonly Op[],
  context: Pick<JobContext, 'step' | 'jobId'>,
  effects: Effects,
): Promise<unknown[]> {
  const results: unknown[] = [];
  for (const op of ops) results.push(await performOne(op, context, effects));
  return results;
}

async function performOne(
  op: Op,
  context: Pick<JobContext, 'step' | 'jobId'>,
  { calls, ledger }: Effects,
): Promise<unknown> {
  const { step, jobId } = context;
  if (op.kind === 'together')
    return Promise.all(op.ops.map((each) => performOne(each, context, { calls, ledger })));
  const { name } = op;
  const count = () => calls.set(name, (calls.get(name) ?? 0) + 1);
  switch (op.kind) {
    case 'run':
      return step.run(name, () => {
        count();
        return name;
      });
    case 'failOnce':
      return step.run(name, { retry: { attempts: 3, delay: '1h' } }, ({ attempt }) => {
        count();
        if (attempt === 1) throw new Error('The first try of a step fails.');
        return attempt;
      });
    case 'transaction':
      return step.transaction(name, async (session) => {
        count();
        await ledger.updateOne(
          { _id: `${jobId} ${name}` },
          { $inc: { times: 1 } },
          { session, upsert: true },
        );
        return name;
      });
    case 'iterate':
      return step.iterate(name, { start: 0 }, (at: number) => {
        count();
        return at < op.calls ? { next: at + 1 } : { done: at };
      });
    case 'sleep':
      return (await step.sleep(name, '1h')) ?? 'slept';
    case 'wait':
      return step.waitForSignal(name);
  }
}

/** The names of the single steps of a program. */
export function stepsOf(ops: readonly Op[]): Exclude<Op, { kind: 'together' }>[] {
  return ops.flatMap((op) => (op.kind === 'together' ? stepsOf(op.ops) : op));
}
