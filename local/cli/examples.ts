/** Returns the examples for a command's help. Puts `remote-processor` at the front, unless a line has it after a pipe. */
export function examples(...lines: readonly string[]): string {
  const shown = lines.map((line) =>
    line.includes(' | remote-processor ') ? line : `remote-processor ${line}`,
  );
  return ['', 'Examples:', ...shown.map((line) => `  $ ${line}`)].join('\n');
}
