import { exitCode } from './exit-code.js';
import { run } from './run.js';

/** Runs one command as this process. Exits with the command's exit code once all output is written. */
export async function runAsProcess(args: readonly string[]): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', endWithoutOutput);
  process.exitCode = await run(args, process.env);
  // The exit is explicit because a server or a loop that began before a failure would keep the process alive. After a
  // failed write, the error event of the stream comes later and ends the process.
  process.stdout.write('', (error) => {
    if (!error) process.exit();
  });
}

function endWithoutOutput({ code, message }: NodeJS.ErrnoException): never {
  // A reader such as `head` may stop early, and then nobody wants the rest.
  if (code === 'EPIPE') process.exit(exitCode.ok);
  process.stderr.write(`error: The output cannot be written: ${message}\n`);
  process.exit(exitCode.failed);
}
