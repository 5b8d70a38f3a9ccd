import * as z from 'zod';
import { type JobConditions, type JobsFilter, jobStatuses } from '../../../src/index.js';
import { toIssues } from '../../../src/validate.js';
import { invalid } from '../problem.js';
import { FAILED_TIMES, failedTime } from './failed-time.js';

const text = z.string().trim().max(500).optional();

/** Schema of the filter in a URL. */
const filterSchema = z.object({
  status: z.enum(jobStatuses).optional(),
  name: text,
  queue: text,
  error: text,
  failureKey: text,
  key: text,
  failed: text.refine(
    (value) => value === undefined || failedTime(value, new Date()) !== undefined,
    FAILED_TIMES,
  ),
  order: z.enum(['newest', 'oldest']).optional(),
});

export type JobFilter = z.output<typeof filterSchema>;

/** Reads the filter in a URL. @throws Problem that names invalid parts, since listing all jobs would be misleading */
export function readFilter(query: Record<string, string>): JobFilter {
  const given = Object.entries(query).filter(([, value]) => value !== '');
  const { data, error } = filterSchema.safeParse(Object.fromEntries(given));
  if (error) throw invalid(toIssues(error));
  return data;
}

/**
 * Returns the conditions of a filter. A filter with a failure's key, or with a time of failure, selects jobs in
 * `error`.
 */
export function conditionsOf({
  status,
  name,
  queue,
  error,
  failureKey,
  key,
  failed,
}: JobFilter): JobConditions {
  const known = status ?? ((failureKey ?? failed) === undefined ? undefined : 'error');
  return { status: known, jobName: name, queue, errorText: error, failureKey, key };
}

/** Returns the time in which the jobs of a filter ended. */
export function endOf({ failed = '' }: JobFilter, now: Date): Pick<JobsFilter, 'endedAfter' | 'endedBefore'> {
  return failedTime(failed, now) ?? {};
}

/** Returns whether a filter excludes any jobs. */
export function isNarrow({ order: _, ...filter }: JobFilter): boolean {
  return Object.values(filter).some((value) => value !== undefined);
}

interface FilterFormProps {
  readonly filter: JobFilter;
  /** The known kinds of jobs. */
  readonly names: readonly string[];
}

/** Shows the controls of a filter. Parts of the filter without a control are chosen in the search box above. */
export function FilterForm({ filter, names }: FilterFormProps) {
  return (
    <form class="filter" method="get" action="/dashboard/jobs" data-filter aria-label="Filter">
      <Choice name="status" label="Status" chosen={filter.status} choices={jobStatuses} none="all" />
      <Choice
        name="name"
        label="Job"
        chosen={filter.name}
        choices={withChosen(names, filter.name)}
        none="all"
      />
      <div class="field">
        <label for="queue">Queue</label>
        <input id="queue" name="queue" value={filter.queue} spellcheck={false} />
      </div>
      <div class="field">
        <label for="error">Text in errors</label>
        <input id="error" name="error" type="search" value={filter.error} spellcheck={false} />
      </div>
      <div class="field">
        <label for="order">Order</label>
        <select id="order" name="order">
          <option value="">newest first</option>
          <option value="oldest" selected={filter.order === 'oldest'}>
            oldest first
          </option>
        </select>
      </div>
      {(['failureKey', 'key', 'failed'] as const).map(
        (name) => filter[name] !== undefined && <input type="hidden" name={name} value={filter[name]} />,
      )}
      <noscript>
        <button type="submit">Filter</button>
      </noscript>
    </form>
  );
}

interface ChoiceProps {
  readonly name: string;
  readonly label: string;
  readonly chosen: string | undefined;
  readonly choices: readonly string[];
  readonly none: string;
}

/** A field of a filter whose values are known. */
export function Choice({ name, label, chosen, choices, none }: ChoiceProps) {
  return (
    <div class="field">
      <label for={name}>{label}</label>
      <select id={name} name={name}>
        <option value="">{none}</option>
        {choices.map((choice) => (
          <option value={choice} selected={choice === chosen}>
            {choice}
          </option>
        ))}
      </select>
    </div>
  );
}

/** Adds the chosen name, which may not be registered. */
export function withChosen(names: readonly string[], chosen: string | undefined): readonly string[] {
  return chosen === undefined || names.includes(chosen) ? names : [...names, chosen];
}
