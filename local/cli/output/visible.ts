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

/** As JSON, to the same end, terminal or not: in JSON such characters may be escaped, and mean the same. */
export function visibleJson(value: unknown, indent = 0): string {
  const json: string | undefined = JSON.stringify(value, null, indent);
  return (json ?? 'null').replaceAll(unsafe, (character) =>
    character === '\n' ? '\n' : escapedUnits(character),
  );
}

function escapedUnits(character: string): string {
  return character.replaceAll(/[\s\S]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Controls, formatting characters except those that join emojis, and the two line ends of Unicode. */
const unsafe = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\u2028\u2029]/gu;

const escapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function codeOf(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
