/** What stands below the help of a command: lines that begin with a command, or with another program as they are. */
export function examples(...lines: readonly string[]): string {
  const shown = lines.map((line) =>
    line.includes(' | remote-processor ') ? line : `remote-processor ${line}`,
  );
  return ['', 'Examples:', ...shown.map((line) => `  $ ${line}`)].join('\n');
}
