import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeAll } from 'vitest';
import { z } from 'zod';
import type { DrainSummary } from '../../../src/index.js';
import { program } from '../../programs.js';

/** How many there are of each. */
export type Resources = Readonly<Record<string, number>>;

/** What the process says after an invocation. */
export interface Answer {
  readonly summary: DrainSummary;
  readonly before: Resources;
  readonly after: Resources;
}

const lineSchema = z.record(z.string(), z.unknown());
type Line = z.output<typeof lineSchema>;

/** A worker's container: a process of its own, with the real handler, logger, metrics and end of a container. */
export class WorkerContainer {
  /** All that it wrote to standard output. */
  output = '';
  /** How it ended. */
  readonly exit: Promise<readonly [code: number | null, signal: string | null]>;
  readonly #child: ChildProcess;

  constructor(file: string, env: Readonly<Record<string, string>>, args: readonly string[] = []) {
    this.#child = fork(file, args, {
      env: { PATH: process.env.PATH ?? '', NODE_NO_WARNINGS: '1', ...env },
      execArgv: [],
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.output += text;
    });
    this.exit = once(this.#child, 'close').then(([code, signal]) => [code, signal] as const);
  }

  /** Runs an invocation; rejects when the container ends instead of answering. */
  async invoke(requestId: string, remainingMs = 60_000): Promise<Answer> {
    const answered = once(this.#child, 'message');
    this.#child.send({ requestId, remainingMs });
    const ended = this.exit.then((exit) => {
      throw new Error(`The container ended: ${exit}. It said:\n${this.output}`);
    });
    const [answer] = await Promise.race([answered, ended]);
    return answer;
  }

  /** Stops the process as it stands, as Lambda does between two invocations. */
  freeze(): void {
    this.#child.kill('SIGSTOP');
  }

  /** Has what a job of `rejects-later` left be rejected: at the thaw, if it is frozen. */
  rejectWhatWasLeft(): void {
    this.#child.kill('SIGUSR2');
  }

  thaw(): void {
    this.#child.kill('SIGCONT');
  }

  /** Its lines, each of which must be JSON; those with this message only, if one is given. */
  lines(message?: string): Line[] {
    const lines = this.output.split('\n').filter((line) => line !== '');
    const parsed = lines.map((line) => lineSchema.parse(JSON.parse(line)));
    return message === undefined ? parsed : parsed.filter((line) => line.message === message);
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.exit;
  }
}

/** Call it at the top of a test file: what it returns starts a container, which is killed after the test. */
export function useContainers(): (
  env: Readonly<Record<string, string>>,
  args?: readonly string[],
) => WorkerContainer {
  const containers: WorkerContainer[] = [];
  let file: string;
  beforeAll(async () => {
    file = await program('test/handlers/container/child.ts');
  });
  afterEach(async () => {
    await Promise.all(containers.splice(0).map((container) => container.kill()));
  });
  return (env, args) => {
    const container = new WorkerContainer(file, env, args);
    containers.push(container);
    return container;
  };
}
