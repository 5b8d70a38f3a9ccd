/** Returns the examples for a command's help. Begins each line with `remote-processor`, unless it pipes into that. */
export function examples(...lines: readonly string[]): string {
  const shown = lines.map((line) =>
    line.includes(' | remote-processor ') ? line : `remote-processor ${line}`,
  );
  return ['', 'Examples:', ...shown.map((line) => `  $ ${line}`)].join('\n');
}
