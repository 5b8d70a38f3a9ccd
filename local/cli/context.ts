import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { Environment } from '../../src/config.js';
import type { Api } from './api/api.js';
import type { Output } from './output/output.js';
import type { Streams } from './streams.js';

/** What every command works with. */
export interface CommandContext {
  readonly api: Api;
  readonly output: Output;
  /** Standard input: of what is written, `output` has charge. */
  readonly stdin: Streams['stdin'];
  readonly env: Environment;
  /** Of the deployment, from `--url`; undefined for the database of MONGODB_URI. */
  readonly url: () => string | undefined;
  /** Fires at Ctrl-C and SIGTERM, for commands that go on until then. */
  readonly stopRequested: () => AbortSignal;
}

/** Adds a command to the program, or to a group of commands. */
export type AddCommand = (parent: CommandUnknownOpts, context: CommandContext) => void;
