import type { Issue } from '../errors.js';

/**
 * Orders names so that each comes after those that it waits for.
 *
 * @param after the names that each name waits for
 * @returns the names in that order, or the problems: unknown names, and the names on each circle
 */
export function inOrder(after: ReadonlyMap<string, readonly string[]>): {
  readonly order: readonly string[];
  readonly issues: readonly Issue[];
} {
  const issues: Issue[] = [];
  const order: string[] = [];
  const done = new Set<string>();
  const visit = (name: string, path: readonly string[]): boolean => {
    if (done.has(name)) return true;
    if (path.includes(name)) {
      const circle = [...path.slice(path.indexOf(name)), name].map((each) => `'${each}'`).join(' after ');
      issues.push({ path: `jobs.${name}.after`, message: `expected no circle: ${circle}` });
      return false;
    }
    for (const other of after.get(name) ?? []) {
      if (!after.has(other)) continue;
      if (!visit(other, [...path, name])) return false;
    }
    done.add(name);
    order.push(name);
    return true;
  };
  for (const [name, others] of after) {
    for (const other of others)
      if (!after.has(other))
        issues.push({
          path: `jobs.${name}.after`,
          message: `expected the name of another job of the workflow, and there is no '${other}'`,
        });
  }
  for (const name of after.keys()) if (!visit(name, [])) break;
  return { order, issues };
}
