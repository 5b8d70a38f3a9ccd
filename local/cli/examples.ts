/** What stands below the help of a command. */
export function examples(...lines: readonly string[]): string {
  return ['', 'Examples:', ...lines.map((line) => `  $ remote-processor ${line}`)].join('\n');
}
