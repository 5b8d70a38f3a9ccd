import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeAll } from 'vitest';
import { z } from 'zod';
import type { DrainSummary } from '../../../src/index.js';
import { program } from '../../programs.js';

/** The number of resources by their kind. */
export type Resources = Readonly<Record<string, number>>;

/** The process's answer to an invocation. */
export interface Answer {
  readonly summary: DrainSummary;
  readonly before: Resources;
  readonly after: Resources;
}

const lineSchema = z.record(z.string(), z.unknown());
type Line = z.output<typeof lineSchema>;

/** A worker's container in its own process, with the real handler, logger, metrics and end of a container. */
export class WorkerContainer {
  /** Everything that it wrote to standard output. */
  output = '';
  /** Resolves when the process ends. */
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

  /** Runs an invocation. Rejects when the container ends instead of answering. */
  async invoke(requestId: string, remainingMs = 60_000): Promise<Answer> {
    const answered = once(this.#child, 'message');
    this.#child.send({ requestId, remainingMs });
    const ended = this.exit.then((exit) => {
      throw new Error(`The container ended: ${exit}. It said:\n${this.output}`);
    });
    const [answer] = await Promise.race([answered, ended]);
    return answer;
  }

  /** Freezes the process, as Lambda does between two invocations. */
  freeze(): void {
    this.#child.kill('SIGSTOP');
  }

  /** Rejects the promise that a job `rejects-later` left behind. If the process is frozen, that happens at the thaw. */
  rejectWhatWasLeft(): void {
    this.#child.kill('SIGUSR2');
  }

  thaw(): void {
    this.#child.kill('SIGCONT');
  }

  /** Returns the lines of the output, each of which must be JSON, or only those with the given message. */
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

/** Sets up containers. Call it at the top of a test file. Returns a function that starts one, killed after the test. */
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
