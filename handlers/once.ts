/**
 * Returns a function that calls `make` once, and returns the same value at each call. So a container keeps the value
 * between invocations. If `make` throws or its promise rejects, the next call tries again.
 */
export function once<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined;
  return () => {
    if (made) return made.value;
    const mine = { value: make() };
    made = mine;
    if (mine.value instanceof Promise) {
      mine.value.catch(() => {
        if (made === mine) made = undefined;
      });
    }
    return mine.value;
  };
}
