import type { Environment } from '../../src/config.js';
import type { Logger } from '../../src/log.js';
import { silentLogger } from '../../src/silent-logger.js';
import { stopRequested } from '../stop-requested.js';
import { Api } from './api/api.js';
import { overNetwork } from './api/over-network.js';
import { exitCode } from './exit-code.js';
import { Output } from './output/output.js';
import { createProgram } from './program.js';
import type { Streams } from './streams.js';
import { isOfCommander, toFailure } from './to-failure.js';

/**
 * Runs one command, and returns the exit code.
 *
 * @param args the arguments after the name of the program
 * @param streams default: those of this process
 */
export async function run(
  args: readonly string[],
  env: Environment,
  streams: Streams = process,
): Promise<number> {
  const output: Output = new Output(() => program.opts().json ?? false, streams);
  const url = () => program.opts().url ?? (env.REMOTE_PROCESSOR_URL || undefined);
  const api = new Api(async () => {
    const address = url();
    if (address !== undefined)
      return overNetwork(address, env.REMOTE_PROCESSOR_API_KEY, program.opts().insecure);
    // Loaded only when needed, because the driver loads slowly, and commands with --url or --help do not need it.
    const { inProcess } = await import('./api/in-process.js');
    return inProcess(env, program.opts().debug ? logTo(output) : silentLogger);
  });
  const program = createProgram({ api, output, stdin: streams.stdin, env, url, stopRequested });
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode.ok;
  } catch (error) {
    if (isOfCommander(error) && error.exitCode === 0) return exitCode.ok;
    if (isOfCommander(error) && error.code === 'commander.help') return exitCode.usage;
    const failure = await toFailure(error);
    output.failure(failure);
    if (program.opts().debug) output.note(stackOf(failure));
    return failure.exitCode;
  } finally {
    await api.close();
  }
}

/** Writes the app's log to standard error. */
function logTo(output: Output): Logger {
  const write = (message: string, details: object = {}) =>
    output.note(`${message} ${JSON.stringify(details)}`);
  return { debug: write, info: write, warn: write, error: write };
}

function stackOf({ stack, cause }: Error): string {
  const reason = cause instanceof Error ? `\nCaused by: ${cause.stack}` : '';
  return `${stack}${reason}`;
}
