import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { createApp } from '../../../handlers/http/app.js';
import { type HttpServer, startHttpServer } from '../../../local/http-server.js';
import { type Role, roles } from '../../../src/access/role.js';
import { RemoteProcessor } from '../../../src/index.js';
import { silent, type TestDatabase } from '../../database.js';
import { program } from '../../programs.js';

/** The API key of a role on the server. */
export function keyOf(role: Role): string {
  return `key-of-${role}`;
}

const apiKeys = roles.map((role) => ({
  id: role,
  role,
  digest: createHash('sha256').update(keyOf(role)).digest(),
}));

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** How a command ended. */
export interface Ending {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface Run {
  /** What it speaks to: the HTTP API of the test, or the very same on the database. Default: `'server'`. */
  readonly on?: 'server' | 'database';
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Standard input; default: none. */
  readonly input?: string;
}

/** `remote-processor`, as a process of its own. */
export interface CommandLine {
  /** What is run by node. */
  readonly program: () => string;
  /** Of one on the server. */
  readonly env: () => Readonly<Record<string, string | undefined>>;
  /** The address of the server. */
  readonly url: () => string;
  run(args: readonly string[], run?: Run): Promise<Ending>;
  /** With `--json`: what it wrote, as an object. It must end with this exit code. */
  json(args: readonly string[], code?: number): Promise<unknown>;
  /** One that goes on; killed after the test. */
  start(args: readonly string[], run?: Run): ChildProcessWithoutNullStreams;
}

/** Call it at the top of a test file; use what it gives inside tests. */
export function useCommandLine(database: TestDatabase): CommandLine {
  let children: ChildProcessWithoutNullStreams[] = [];

  let server: HttpServer;
  let file: string;
  beforeAll(async () => {
    file = await program('local/cli/main.ts');
    const processor = new RemoteProcessor({ db: database.db, log: silent });
    server = await startHttpServer(
      createApp({ db: database.db, processor, apiKeys, log: silent }),
      '127.0.0.1',
      0,
    );
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

  function start(args: readonly string[], { on = 'server', env: extra = {} }: Run = {}) {
    const child = spawn(process.execPath, [file, ...args], {
      cwd: root,
      env: { ...(on === 'server' ? env() : onDatabase), ...extra },
    });
    children.push(child);
    return child;
  }

  async function run(args: readonly string[], { input = '', ...where }: Run = {}): Promise<Ending> {
    const child = start(args, where);
    child.stdin.end(input);
    const exit = once(child, 'close');
    const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
    const [code] = await exit;
    return { code: typeof code === 'number' ? code : null, out, err };
  }

  return {
    program: () => file,
    env,
    url: () => server.url,
    run,
    start,
    async json(args, expected = 0) {
      const { code, out, err } = await run([...args, '--json']);
      if (code === expected) return JSON.parse(out);
      throw new Error(`${args.join(' ')} ended with ${code}, not ${expected}: ${err}`);
    },
  };
}
