/** Something that a suspended job waits for, as the API and the database tell it. */
interface Wait {
  readonly name: string;
  readonly kind: string;
  readonly signal?: string | null | undefined;
}

/** Returns whether a job waits for the answer of a callback. The worker names the signal of a callback. */
export function isForCallback({ signal }: Wait): boolean {
  return /^callback \d+ /.test(signal ?? '');
}

/** Says what a job waits for, without the moment: `sleeps`, `waits for paid`, or `tries charge again`. */
export function waitText(wait: Wait): string {
  const { kind, name, signal } = wait;
  if (kind === 'sleep') return 'sleeps';
  if (kind === 'retry') return `tries ${name} again`;
  return `waits for ${isForCallback(wait) ? name : (signal ?? name)}`;
}
