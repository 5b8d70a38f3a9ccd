import type { IndexProgress } from './index-options.js';

/** Returns a line about the progress for people. */
export function indexProgressText({
  kind,
  collection,
  indexes,
  documents,
  elapsedMs,
}: IndexProgress): string {
  const names = indexes.map((index) => `${collection}.${index}`).join(', ');
  const seconds = Math.round(elapsedMs / 1000);
  switch (kind) {
    case 'building':
      return `building ${names}: about ${documents} documents, ${seconds} s so far`;
    case 'made':
      return `made ${names} in ${seconds} s`;
    case 'waiting':
      return `waiting for a transaction that holds '${collection}' (${seconds} s so far): it is tried again, so that nothing else has to wait`;
    case 'dropped':
      return `dropped ${names}`;
    case 'failed':
      return `not made: ${names}`;
  }
}

/** Collects the indexes that were made and dropped, as `collection.index`. */
export class IndexesDone {
  readonly made: string[] = [];
  readonly dropped: string[] = [];

  add({ kind, collection, indexes }: IndexProgress): void {
    if (kind !== 'made' && kind !== 'dropped') return;
    this[kind].push(...indexes.map((index) => `${collection}.${index}`));
  }
}

/** Returns a summary of a few lines. */
export function indexesDoneText({
  made,
  dropped,
}: {
  readonly made: readonly string[];
  readonly dropped: readonly string[];
}): string {
  const drops = dropped.length === 0 ? '' : `, dropped ${dropped.length}`;
  const lines = [...made, ...dropped.map((name) => `dropped ${name}`)];
  return `made ${made.length} indexes${drops}${lines.map((line) => `\n  ${line}`).join('')}`;
}
