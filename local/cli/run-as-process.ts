import { exitCode } from './exit-code.js';
import { run } from './run.js';

/** Runs one command as the whole of this process, and ends it, with the exit code, once all output is written. */
export async function runAsProcess(args: readonly string[]): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', endWithoutOutput);
  process.exitCode = await run(args, process.env);
  // A server or a loop that was begun before something failed would keep the process alive. After an error of the stream
  // its event ends the process, which comes later.
  process.stdout.write('', (error) => {
    if (!error) process.exit();
  });
}

function endWithoutOutput({ code, message }: NodeJS.ErrnoException): never {
  // Whoever reads the output may stop before its end, such as `head`: then nobody wants the rest.
  if (code === 'EPIPE') process.exit(exitCode.ok);
  process.stderr.write(`error: The output cannot be written: ${message}\n`);
  process.exit(exitCode.failed);
}
