import type { WorkflowJobInfo } from '../../../src/index.js';
import { jobPath } from './paths.js';

/** Maximum number of jobs in a drawing. A larger workflow is only listed. */
const MAX_DRAWN = 100;

/** Sizes in the drawing. */
const BOX = { width: 160, height: 40 } as const;
const GAP = { x: 56, y: 16 } as const;
const MARGIN = 8;
const MAX_LETTERS = 19;

interface Place {
  readonly x: number;
  readonly y: number;
}

/** Draws which job of a workflow waits for which, from left to right. The list beside it says the same in words. */
export function WorkflowGraph({ jobs }: { jobs: readonly WorkflowJobInfo[] }) {
  if (jobs.length > MAX_DRAWN) return <p class="quiet">There are too many jobs to draw them.</p>;
  const places = placesOf(jobs);
  const all = [...places.values()];
  const width = Math.max(...all.map(({ x }) => x)) + BOX.width + MARGIN;
  const height = Math.max(...all.map(({ y }) => y)) + BOX.height + MARGIN;
  return (
    <div class="scroll">
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is no drawing. */}
      <svg
        class="graph"
        width={width}
        height={height}
        viewBox={`0 0 ${width} ${height}`}
        role="group"
        aria-label="Which job waits for which"
      >
        {jobs.flatMap(({ name, after }) =>
          after.map((other) => <Edge from={places.get(other)} to={places.get(name)} />),
        )}
        {jobs.map((job) => (
          <Box job={job} place={places.get(job.name)} />
        ))}
      </svg>
    </div>
  );
}

/** Returns the state of a job of a workflow, in a word. */
export function stateOf({ status, isWaiting }: WorkflowJobInfo): string {
  return isWaiting ? 'waits' : (status ?? 'gone');
}

/** Returns the class that gives a job its colors. */
export function lookOf({ status, isWaiting }: WorkflowJobInfo): string {
  return isWaiting ? 'cancelled' : (status ?? 'cancelled');
}

/** Places each job to the right of the jobs that it waits for. These come before it in the list. */
function placesOf(jobs: readonly WorkflowJobInfo[]): ReadonlyMap<string, Place> {
  const columns = new Map<string, number>();
  const counts = new Map<number, number>();
  const places = new Map<string, Place>();
  for (const { name, after } of jobs) {
    const column = Math.max(0, ...after.map((other) => (columns.get(other) ?? 0) + 1));
    const row = counts.get(column) ?? 0;
    columns.set(name, column);
    counts.set(column, row + 1);
    places.set(name, {
      x: MARGIN + column * (BOX.width + GAP.x),
      y: MARGIN + row * (BOX.height + GAP.y),
    });
  }
  return places;
}

function Edge({ from, to }: { from: Place | undefined; to: Place | undefined }) {
  if (!from || !to) return null;
  const [x, y] = [from.x + BOX.width, from.y + BOX.height / 2];
  const end = to.y + BOX.height / 2;
  const middle = (x + to.x) / 2;
  return <path d={`M${x} ${y}C${middle} ${y} ${middle} ${end} ${to.x} ${end}`} />;
}

function Box({ job, place }: { job: WorkflowJobInfo; place: Place | undefined }) {
  if (!place) return null;
  const { name, id } = job;
  const text = name.length > MAX_LETTERS ? `${name.slice(0, MAX_LETTERS - 1)}…` : name;
  // The label has to contain the text that is seen, for people who speak to their browser.
  const label = `${text}: ${stateOf(job)}${text === name ? '' : `, ${name}`}`;
  return (
    <a href={jobPath(id)} class={lookOf(job)} aria-label={label}>
      <rect x={place.x} y={place.y} width={BOX.width} height={BOX.height} rx="6" />
      <text x={place.x + BOX.width / 2} y={place.y + BOX.height / 2 + 4} text-anchor="middle">
        {text}
      </text>
    </a>
  );
}
