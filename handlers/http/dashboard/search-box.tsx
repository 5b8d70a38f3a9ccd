import type { JobFilter } from './job-filter.js';
import { firstLine } from './parts/first-line.js';
import { jobsPath } from './paths.js';
import { suggestions, wordsOf } from './search-words.js';

interface SearchBoxProps {
  readonly filter: JobFilter;
  /** The known kinds of jobs. */
  readonly names: readonly string[];
  /** The message of the failure that the filter names. */
  readonly failure: string | undefined;
  /** The text of a search that cannot be read. */
  readonly text: string;
  readonly problems: readonly string[];
}

/** Maximum number of kinds of jobs among the suggestions. More would make every page large. */
const MAX_SUGGESTED = 100;

/** Searches that people on call begin with. */
const presets = [
  { label: 'Failed within an hour', filter: { failed: '<1h' } },
  { label: 'Failing', filter: { status: 'error' } },
  { label: 'Running', filter: { status: 'processing' } },
  { label: 'Waiting', filter: { status: 'queued' } },
] as const;

/**
 * Shows the search of jobs. Words in its box, such as `status:error`, are added to the current filter. Each part of the
 * filter has a chip that removes it. The search consists of a form and links. So it works without a script, and the
 * browser's history has each search.
 */
export function SearchBox({ filter, names, failure, text, problems }: SearchBoxProps) {
  const isWrong = problems.length > 0;
  return (
    <search class="stack" aria-label="Search jobs">
      <form method="get" action="/dashboard/jobs" class="actions search" data-plain>
        <span id="searched" data-live>
          {Object.entries(filter).map(
            ([name, value]) => value !== undefined && <input type="hidden" name={name} value={value} />,
          )}
        </span>
        <input
          name="q"
          type="search"
          list="words"
          value={text}
          aria-label="Search"
          placeholder={'status:error kind:… key:orderId=42 failed:<1h text:"timed out"'}
          aria-invalid={isWrong ? 'true' : undefined}
          aria-describedby={isWrong ? 'search-problems' : undefined}
          spellcheck={false}
          autocomplete="off"
        />
        <datalist id="words">
          {suggestions(names.slice(0, MAX_SUGGESTED)).map((word) => (
            <option value={word} />
          ))}
        </datalist>
        <button type="submit">Search</button>
      </form>
      {isWrong && (
        <ul class="issues" id="search-problems" role="alert">
          {problems.map((problem) => (
            <li>{problem}</li>
          ))}
        </ul>
      )}
      <p class="chips" id="chips" data-live>
        {wordsOf(filter).map(({ field, text: word }) => (
          <Chip word={word} without={{ ...filter, [field]: undefined }} />
        ))}
        {filter.failureKey !== undefined && (
          <a class="button chip" href={jobsPath({ ...filter, failureKey: undefined })}>
            <span class="unseen">Show also others than: </span>
            {firstLine(failure ?? filter.failureKey)} <span aria-hidden="true">✕</span>
          </a>
        )}
        {presets.map(({ label, filter: preset }) => (
          <a href={jobsPath(preset)}>{label}</a>
        ))}
      </p>
    </search>
  );
}

function Chip({ word, without }: { word: string; without: JobFilter }) {
  return (
    <a class="button chip" href={jobsPath(without)}>
      <span class="unseen">Search without: </span>
      {word} <span aria-hidden="true">✕</span>
    </a>
  );
}
