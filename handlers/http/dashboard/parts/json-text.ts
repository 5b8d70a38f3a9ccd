/** Maximum length of indented text, in characters. Indentation may make nested lists a hundred times as long. */
const MAX_INDENTED = 20_000;

/** Returns a value as JSON for people to read and edit, indented unless that would be too long. */
export function jsonText(value: unknown): string {
  const text = JSON.stringify(value) ?? '';
  if (text.length > MAX_INDENTED) return text;
  const indented = JSON.stringify(value, null, 2) ?? '';
  return indented.length > MAX_INDENTED * 5 ? text : indented;
}
