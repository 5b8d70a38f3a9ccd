const MARK = '…';

/** A text of at most so many bytes as UTF-8: of a longer one the beginning, with a mark. No character is cut in two. */
export function cutText(text: string, maxBytes: number): string {
  // No character has more than 3 bytes for each of its units.
  if (text.length * 3 <= maxBytes || Buffer.byteLength(text) <= maxBytes) return text;
  const beginning = Buffer.from(text.slice(0, maxBytes)).subarray(0, maxBytes - Buffer.byteLength(MARK));
  return `${new TextDecoder().decode(beginning, { stream: true })}${MARK}`;
}
