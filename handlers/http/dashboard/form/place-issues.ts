import type { Issue } from '../../../../src/index.js';
import type { Field } from './field.js';

/**
 * Assigns issues to the controls of a field. An issue inside the value of a control, such as in JSON, is assigned to
 * that control. Its message then names the path inside the value.
 *
 * @param path the path of the field, as in issues
 */
export function placeIssues(field: Field, path: string, issues: readonly Issue[]): Issue[] {
  return issues.map((issue) => {
    if (issue.path !== path && !issue.path.startsWith(`${path}.`)) return issue;
    const names = issue.path === path ? [] : issue.path.slice(path.length + 1).split('.');
    const known = depthOf(field, names);
    const rest = names.slice(known).join('.');
    return {
      path: [path, ...names.slice(0, known)].join('.'),
      message: rest === '' ? issue.message : `${rest}: ${issue.message}`,
    };
  });
}

/** Returns how many of the names, from the first, lead to a nested control. */
function depthOf(field: Field, [name, ...rest]: readonly string[]): number {
  if (name === undefined) return 0;
  if (field.kind === 'list') return /^\d+$/.test(name) ? 1 + depthOf(field.item, rest) : 0;
  if (field.kind !== 'object') return 0;
  const member = field.members.find((one) => one.name === name);
  return member ? 1 + depthOf(member.field, rest) : 0;
}
