import { isKind } from '../brand.js';
import { RemoteException, StepFailedError } from '../errors.js';
import { type Failure, withRemark } from '../job/failure.js';
import type { Outcome } from '../job/outcome.js';
import type { StepContext } from '../job/step-context.js';
import { FAILURE, type StepWrite, type StepWrites } from '../job/step-log.js';
import type { StepJournal } from './step-journal.js';
import { compensationRetry, type ResolvedStepOptions } from './step-options.js';
import { resultOf, type StepPlace, tryStep } from './tried-step.js';

/** A step that is undone if the job fails for good. */
export interface Undoable {
  readonly name: string;
  readonly value: unknown;
  readonly options: ResolvedStepOptions;
}

/** Returns whether the job has failed for good. Then only stored steps count, and no step begins. */
export function isUndoing(journal: StepJournal): boolean {
  return journal.known([FAILURE]) !== undefined;
}

/**
 * Returns the outcome of an attempt that makes a job fail for good: the job is suspended, and its next attempts undo its steps.
 *
 * @param writesWith returns everything to store with this step
 */
export function undoFirst(
  failure: Failure,
  writesWith: (steps: readonly StepWrite[]) => StepWrites,
): Outcome {
  const write = { name: FAILURE, kind: 'compensation', state: 'begun', failure, agoMs: 0 } as const;
  const atOnce = { name: FAILURE, kind: 'retry', agoMs: 0, until: 0 } as const;
  return { kind: 'suspended', writes: writesWith([write]), waits: [atOnce], isUndoing: true };
}

/** Thrown to the job's function at the first step that is not stored, while the steps are being undone. */
export class Undoing extends Error {
  override readonly message = 'The job has failed, and its steps are being undone.';
}

/** Undoes steps, the last one first. Returns the error with which the job ends. */
export async function undo(
  steps: readonly Undoable[],
  place: StepPlace,
  contextOf: (name: string) => (attempt: number) => StepContext,
): Promise<Error> {
  const { failure = { message: 'unknown' } } = place.journal.known([FAILURE]) ?? {};
  const problems: string[] = [];
  for (const step of steps.toReversed()) {
    const problem = await undoOne(step, place, contextOf);
    if (problem !== undefined) problems.push(problem);
  }
  return asError(problems.length === 0 ? failure : withRemark(failure, problems.join('; ')));
}

/** Returns the problem if the compensation failed for good. */
async function undoOne(
  { name, value, options }: Undoable,
  place: StepPlace,
  contextOf: (name: string) => (attempt: number) => StepContext,
): Promise<string | undefined> {
  const [undoing = '', ...was] = [name, ...options.was].map((each) => `${each} (compensation)`);
  const { journal, active } = place;
  const known = journal.known([undoing, ...was]);
  try {
    if (known && known.state !== 'retrying') resultOf(undoing, known);
    else
      await active.during(() =>
        tryStep(
          {
            name: undoing,
            kind: 'compensation',
            options: {
              ...options,
              was,
              output: undefined,
              retry: compensationRetry(options),
              atMostOnce: false,
              compensate: undefined,
            },
            contextOf: contextOf(was.at(-1) ?? undoing),
            perform: async (context, ended) => {
              const replaced = place.host.replacement(undoing);
              await (replaced ? replaced(context) : options.compensate?.(value, context));
              return journal.store(await ended(undefined));
            },
          },
          known,
          place,
        ),
      );
    return undefined;
  } catch (error) {
    if (!isKind(error, StepFailedError)) throw error;
    return `the compensation of step '${name}' failed too: ${error.message}`;
  }
}

/** Returns the stored failure as an error that ends the job. */
function asError({ message, stack }: Failure): Error {
  const error = new RemoteException(message);
  if (stack !== undefined) error.stack = stack;
  return error;
}
