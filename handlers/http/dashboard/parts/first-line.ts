/** The first line of a text, cut where a row ends. */
export function firstLine(text: string): string {
  const [line = ''] = text.split('\n');
  return line.length > 160 ? `${line.slice(0, 160)}…` : line;
}
