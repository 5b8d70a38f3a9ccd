/** Code that runs around other code. It calls `next` once, or throws. */
export type Step<Context, Result> = (context: Context, next: () => Promise<Result>) => unknown;

/**
 * Runs steps nested around `innermost`, the first one outermost, and returns the result of `innermost`. Values returned
 * by steps are ignored. An inner error is thrown, unless a step throws another one.
 *
 * Returns only when all steps have ended, even those that an outer step does not await or abandons by throwing.
 *
 * @throws Error when a step ends without calling `next` or calls it twice, and errors of the steps
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
      result.catch(() => {}); // A step may not await the result. Its error still counts below.
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
