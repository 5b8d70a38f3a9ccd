import { type Issue, ValidationError } from '../errors.js';
import { MAX_ISSUES } from '../issues.js';

/** Options that a job of a group cannot have. Its id derives from the group's, and the job must be added in any case. */
const refused = ['id', 'uniqueKey', 'unique', 'debounce'] as const;

/**
 * Checks that jobs of a group have neither ids nor unique keys of their own.
 *
 * @param pathOf returns the path of a job in the call, by its number
 * @throws ValidationError
 */
export function requireOwnIds(
  jobs: readonly { readonly options?: object | undefined }[],
  subject: string,
  pathOf: (index: number) => string,
): void {
  const issues: Issue[] = [];
  for (const [index, job] of jobs.entries()) {
    const options = job?.options ?? {};
    for (const option of refused) {
      const message =
        'expected none: the id of a job of a group is made of the id of the group, and it has no unique key';
      if (Reflect.get(Object(options), option) !== undefined)
        issues.push({ path: `${pathOf(index)}.options.${option}`, message });
    }
    if (issues.length >= MAX_ISSUES) break;
  }
  if (issues.length > 0) throw new ValidationError(subject, issues);
}
