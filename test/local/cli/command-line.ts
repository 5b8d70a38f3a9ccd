import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { createApp } from '../../../handlers/http/app.js';
import { run as runCommand } from '../../../local/cli/run.js';
import { type HttpServer, startHttpServer } from '../../../local/http-server.js';
import { type Role, roles } from '../../../src/access/role.js';
import { RemoteProcessor } from '../../../src/index.js';
import { silent, type TestDatabase } from '../../database.js';
import { program } from '../../programs.js';

/** Returns the API key of a role on the server. */
export function keyOf(role: Role): string {
  return `key-of-${role}`;
}

const apiKeys = roles.map((role) => ({
  id: role,
  role,
  digest: createHash('sha256').update(keyOf(role)).digest(),
}));

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** The exit code and the output of a command. */
export interface Ending {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface Run {
  /**
   * The app that the command asks: that of the test's HTTP server, or one in the command's process. Default:
   * `'server'`.
   */
  readonly on?: 'server' | 'database';
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Standard input. Default: none. */
  readonly input?: string;
}

/** The command line `remote-processor` in a test. */
export interface CommandLine {
  /** Returns the file for node to run. */
  readonly program: () => Promise<string>;
  /** Returns the environment of a command on the server. */
  readonly env: () => Readonly<Record<string, string | undefined>>;
  /** Returns the address of the server. */
  readonly url: () => string;
  /** Runs a command in this process, with its own streams. */
  run(args: readonly string[], run?: Run): Promise<Ending>;
  /** Runs a command in its own process, for tests of what it does to a process. */
  runProcess(args: readonly string[], run?: Run): Promise<Ending>;
  /** Runs a command with `--json`, expects this exit code, and returns its output as an object. */
  json(args: readonly string[], code?: number): Promise<unknown>;
  /** Starts a process that goes on. It is killed after the test. */
  start(args: readonly string[], run?: Run): Promise<ChildProcessWithoutNullStreams>;
}

/** Sets up the command line. Call it at the top of a test file, and use the result inside tests. */
export function useCommandLine(database: TestDatabase): CommandLine {
  let children: ChildProcessWithoutNullStreams[] = [];

  let server: HttpServer;
  beforeAll(async () => {
    const processor = new RemoteProcessor({ db: database.db, log: silent });
    server = await startHttpServer(createApp({ processor, apiKeys, log: silent }), '127.0.0.1', 0);
  });
  afterEach(() => {
    for (const child of children) child.kill('SIGKILL');
    children = [];
  });
  afterAll(() => server.stop());

  const basic = { PATH: process.env.PATH, HOME: process.env.HOME };
  const env = () => ({
    ...basic,
    REMOTE_PROCESSOR_URL: server.url,
    REMOTE_PROCESSOR_API_KEY: keyOf('admin'),
  });
  const onDatabase = { ...basic, MONGODB_URI: database.uri, MONGODB_DATABASE: database.name };

  const file = () => program('local/cli/main.ts');
  const envOf = ({ on = 'server', env: extra = {} }: Run) => ({
    ...(on === 'server' ? env() : onDatabase),
    ...extra,
  });

  async function run(args: readonly string[], { input = '', ...where }: Run = {}): Promise<Ending> {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const written = Promise.all([text(stdout), text(stderr)]);
    const code = await runCommand(args, envOf(where), { stdin: Readable.from([input]), stdout, stderr });
    stdout.end();
    stderr.end();
    const [out, err] = await written;
    return { code, out, err };
  }

  async function start(args: readonly string[], where: Run = {}) {
    const child = spawn(process.execPath, [await file(), ...args], { cwd: root, env: envOf(where) });
    children.push(child);
    return child;
  }

  async function runProcess(args: readonly string[], { input = '', ...where }: Run = {}): Promise<Ending> {
    const child = await start(args, where);
    child.stdin.end(input);
    const exit = once(child, 'close');
    const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
    const [code] = await exit;
    return { code: typeof code === 'number' ? code : null, out, err };
  }

  return {
    program: file,
    env,
    url: () => server.url,
    run,
    runProcess,
    start,
    async json(args, expected = 0) {
      const { code, out, err } = await run([...args, '--json']);
      if (code === expected) return JSON.parse(out);
      throw new Error(`${args.join(' ')} ended with ${code}, not ${expected}: ${err}`);
    },
  };
}
