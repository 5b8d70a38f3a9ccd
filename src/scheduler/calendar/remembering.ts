/**
 * Makes a pure function of one argument remember its results. After `limit` results it forgets all of them, which costs
 * less than finding the least recently used one.
 */
export function remembering<Argument, Answer>(
  limit: number,
  compute: (argument: Argument) => Answer,
): (argument: Argument) => Answer {
  const answers = new Map<Argument, Answer>();
  return (argument) => {
    const known = answers.get(argument);
    if (known !== undefined) return known;
    const answer = compute(argument);
    if (answers.size >= limit) answers.clear();
    answers.set(argument, answer);
    return answer;
  };
}
