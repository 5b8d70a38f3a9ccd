import * as z from 'zod';
import { jobStatuses } from '../../../src/index.js';
import { toIssues } from '../../../src/validate.js';
import { invalid } from '../problem.js';

const text = z.string().trim().max(500).optional();

/** Schema of the filter in a URL. */
const filterSchema = z.object({
  status: z.enum(jobStatuses).optional(),
  name: text,
  queue: text,
  error: text,
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

/** Returns whether a filter excludes any jobs. */
export function isNarrow({ order: _, ...filter }: JobFilter): boolean {
  return Object.values(filter).some((value) => value !== undefined);
}

/** Shows the controls of a filter. @param names the known kinds of jobs */
export function FilterForm({ filter, names }: { filter: JobFilter; names: readonly string[] }) {
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

function Choice({ name, label, chosen, choices, none }: ChoiceProps) {
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
function withChosen(names: readonly string[], chosen: string | undefined): readonly string[] {
  return chosen === undefined || names.includes(chosen) ? names : [...names, chosen];
}
