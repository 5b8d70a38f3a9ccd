/** Returns the examples for a command's help. Puts `remote-processor` before each line that does not pipe into it. */
export function examples(...lines: readonly string[]): string {
  const shown = lines.map((line) =>
    line.includes(' | remote-processor ') ? line : `remote-processor ${line}`,
  );
  return ['', 'Examples:', ...shown.map((line) => `  $ ${line}`)].join('\n');
}
