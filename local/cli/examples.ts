/** Returns the examples below a command's help. `remote-processor` is added to each line that does not pipe into it. */
export function examples(...lines: readonly string[]): string {
  const shown = lines.map((line) =>
    line.includes(' | remote-processor ') ? line : `remote-processor ${line}`,
  );
  return ['', 'Examples:', ...shown.map((line) => `  $ ${line}`)].join('\n');
}
