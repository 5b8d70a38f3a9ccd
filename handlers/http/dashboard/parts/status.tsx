import type { JobStatus } from '../../../../src/index.js';

export function Status({ status }: { status: JobStatus }) {
  return <span class={`status ${status}`}>{status}</span>;
}
