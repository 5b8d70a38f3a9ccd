/** Something that is done around something else. It calls `next` once, or throws. */
export type Step<Context, Result> = (context: Context, next: () => Promise<Result>) => unknown;

/**
 * Does steps one inside the other, the first one outermost, around `innermost`, and returns what that returned. Nothing that
 * a step returns counts, and an error of what is inside it stands, unless the step throws another one.
 *
 * It ends when all of them have: also what a step does not wait for, or leaves behind by an error.
 *
 * @throws Error when a step ends without `next`, or calls it twice; and what they throw
 */
export async function compose<Context, Result>(
  steps: readonly Step<Context, Result>[],
  context: Context,
  innermost: () => Promise<Result>,
): Promise<Result> {
  const [step, ...others] = steps;
  if (step === undefined) return innermost();
  let inner: Promise<Result> | undefined;
  const next = async (): Promise<Result> => {
    if (inner !== undefined) throw new Error('A middleware called next() twice.');
    inner = compose(others, context, innermost);
    return inner;
  };
  const quietly = () => inner?.catch(() => {});
  try {
    await step(context, () => {
      const result = next();
      result.catch(() => {}); // It may not wait for it: the error counts all the same, below.
      return result;
    });
  } catch (error) {
    await quietly();
    throw error;
  }
  if (inner === undefined)
    throw new Error('A middleware ended without next(): one that refuses has to throw.');
  return inner;
}
