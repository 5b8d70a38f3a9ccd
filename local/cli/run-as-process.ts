import { run } from './run.js';

/** Runs one command as the whole of this process, and ends it, with the exit code, once all output is written. */
export async function runAsProcess(args: readonly string[]): Promise<void> {
  // Whoever reads the output may stop before its end, such as `head`: then nobody wants the rest.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      process.exit(0);
    });
  }
  process.exitCode = await run(args, process.env);
  // A server or a loop that was begun before something failed would keep the process alive.
  process.stdout.write('', () => process.exit());
}
