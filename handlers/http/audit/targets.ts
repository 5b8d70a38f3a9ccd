/** The kinds of things that people change, by the segment of the paths that lead to them. */
const kinds: Readonly<Record<string, string>> = {
  jobs: 'job',
  batches: 'batch',
  workflows: 'workflow',
  operations: 'operation',
  schedulers: 'schedule',
  queues: 'queue',
  limits: 'limit',
  marks: 'mark',
};

/** Returns how the log names something of a kind. @param segment that of its path, such as `jobs` */
export function targetOf(segment: string, id: string): string {
  return `${kinds[segment] ?? segment}:${id}`;
}

/** Returns how the log names what is at a path of the API or of the dashboard, such as `/v1/jobs/7`. */
export function targetOfPath(path: string | null): string | undefined {
  const [, segment, id] = /^\/(?:v1|dashboard)\/([^/?]+)\/([^/?]+)$/.exec(path ?? '') ?? [];
  return segment === undefined || id === undefined ? undefined : targetOf(segment, decodeURIComponent(id));
}
