import type { IndexProgress } from './indexes.js';

/** A line for who waits for it. */
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
    case 'failed':
      return `not made: ${names}`;
  }
}
