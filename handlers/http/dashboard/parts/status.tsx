import type { JobStatus } from '../../../../src/index.js';

/** By word and by colour. */
export function Status({ status }: { status: JobStatus }) {
  return <span class={`status ${status}`}>{status}</span>;
}
