const MARK = '…';

/** Cuts a text to at most `maxBytes` of UTF-8, including an ellipsis at the end. Never cuts within a character. */
export function cutText(text: string, maxBytes: number): string {
  // No character takes more than 3 bytes per code unit.
  if (text.length * 3 <= maxBytes || Buffer.byteLength(text) <= maxBytes) return text;
  const beginning = Buffer.from(text.slice(0, maxBytes)).subarray(0, maxBytes - Buffer.byteLength(MARK));
  return `${new TextDecoder().decode(beginning, { stream: true })}${MARK}`;
}
