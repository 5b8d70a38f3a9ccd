import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { Environment } from '../../src/config.js';
import type { Api } from './api/api.js';
import type { Output } from './output/output.js';
import type { Streams } from './streams.js';

/** The services that every command works with. */
export interface CommandContext {
  readonly api: Api;
  readonly output: Output;
  /** Standard input. Output goes through `output`. */
  readonly stdin: Streams['stdin'];
  readonly env: Environment;
  /** The address of the deployment, from `--url`. Undefined if commands use the database of MONGODB_URI. */
  readonly url: () => string | undefined;
  /** Returns a signal that fires at Ctrl-C and SIGTERM, for commands that run until then. */
  readonly stopRequested: () => AbortSignal;
}

/** Adds a command to the program, or to a group of commands. */
export type AddCommand = (parent: CommandUnknownOpts, context: CommandContext) => void;
