/**
 * A pure function that keeps its answers, by the one argument it takes. It holds `limit` of them; then it forgets
 * all, which costs less than to know which was used last.
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
