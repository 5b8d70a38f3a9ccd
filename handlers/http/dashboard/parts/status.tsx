import type { JobStatus } from '../../../../src/index.js';

/** Shows a status by word and colour. */
export function Status({ status }: { status: JobStatus }) {
  return <span class={`status ${status}`}>{status}</span>;
}
