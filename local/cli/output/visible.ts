/**
 * Text from elsewhere as a terminal may show it: what would move the cursor, colour, or turn the direction of writing
 * stands there as an escape. Otherwise whoever adds a job could write anywhere on the screen of who lists it.
 */
export function visible(text: string): string {
  return text.replaceAll(unsafe, (character) => escapes[character] ?? codeOf(character));
}

/** As `visible`, but its lines stay lines. */
export function visibleLines(text: string): string {
  return text.split(/\r?\n/).map(visible).join('\n');
}

/** Controls, formatting characters but for those that join emojis, and the two line ends of Unicode. */
const unsafe = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\u2028\u2029]/gu;

const escapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function codeOf(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
