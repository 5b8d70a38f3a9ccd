import { type ChildProcess, fork } from 'node:child_process';
import { type Order, type Reading, reportSchema, type Setting } from './child/setting.js';

/** A process that adds jobs or runs them. */
export class Child {
  /** The number of jobs that the process has reported as run. */
  ran = 0;
  /** The start times of urgent jobs, by the job's number, in milliseconds since the epoch. */
  readonly urgentStarts = new Map<number, number>();
  /** The measurements of the process. Rejects if the process ends before it reports them. */
  readonly reading: Promise<Reading>;
  readonly #process: ChildProcess;
  readonly #ready: Promise<void>;

  private constructor(program: string, setting: Setting) {
    const child = fork(program, [JSON.stringify(setting)], { execArgv: [], stdio: ['ignore', 2, 2, 'ipc'] });
    this.#process = child;
    const failed = new Promise<never>((_, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        reject(
          new Error(`The process '${setting.task}' of ${setting.contender} ended with ${code ?? signal}.`),
        );
      });
    });
    let ready = () => {};
    let done: (reading: Reading) => void = () => {};
    this.#ready = Promise.race([failed, new Promise<void>((resolve) => (ready = resolve))]);
    this.reading = Promise.race([failed, new Promise<Reading>((resolve) => (done = resolve))]);
    this.reading.catch(() => {});
    child.on('message', (message) => {
      const report = reportSchema.parse(message);
      if (report.kind === 'ready') ready();
      else if (report.kind === 'ran') this.ran = report.count;
      else if (report.kind === 'urgent') this.urgentStarts.set(report.n, report.at);
      else done(report.reading);
    });
  }

  /** Starts a process. Resolves when it has connected and waits for the order to begin. */
  static async start(program: string, setting: Setting): Promise<Child> {
    const child = new Child(program, setting);
    await child.#ready;
    return child;
  }

  tell(order: Order): void {
    this.#process.send(order);
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }
}
