/**
 * Makes foreign text safe for a terminal. Escapes every character that would move the cursor, colour the text, or turn
 * its direction. Without that, anyone who adds a job could write anywhere on the screen of a person who lists jobs.
 */
export function visible(text: string): string {
  return text.replaceAll(unsafe, (character) => escapes[character] ?? codeOf(character));
}

/** Escapes like `visible`, but keeps the line breaks. */
export function visibleLines(text: string): string {
  return text.split(/\r?\n/).map(visible).join('\n');
}

/** Returns JSON that is safe for a terminal. The escapes do not change its meaning, so it may also go to a file. */
export function visibleJson(value: unknown, indent = 0): string {
  const json: string | undefined = JSON.stringify(value, null, indent);
  return (json ?? 'null').replaceAll(unsafe, (character) =>
    character === '\n' ? '\n' : escapedUnits(character),
  );
}

function escapedUnits(character: string): string {
  return character.replaceAll(/[\s\S]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Control characters, formatting characters except the joiners of emojis, and the two line ends of Unicode. */
const unsafe = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\u2028\u2029]/gu;

const escapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function codeOf(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
