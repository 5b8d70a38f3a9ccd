import { once } from './once.js';

/**
 * Returns a function that calls `ask` at most once within this time. All callers share the answer. A failure is passed
 * on, and the next call asks again.
 */
export function rememberedFor<Answer>(ms: number, ask: () => Promise<Answer>): () => Promise<Answer> {
  let answer = once(ask);
  let askedAt = Number.NEGATIVE_INFINITY;
  return () => {
    const now = performance.now();
    if (now - askedAt >= ms) {
      answer = once(ask);
      askedAt = now;
    }
    return answer();
  };
}
