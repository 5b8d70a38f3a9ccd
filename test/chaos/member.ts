import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Document } from 'mongodb';
import { EXIT_OF_A_JOB } from './child/chaos-job.js';
import type { Setting } from './child/setting.js';
import { isClaim, isHeartbeat, isOutcome, isReadBack } from './commands.js';
import { clockSkew, type Fault } from './plan-faults.js';
import type { Passage, TcpProxy } from './tcp-proxy.js';

/** The longest time for a process to stop, including the 5 s of grace that a worker gives its jobs. */
const PATIENCE_MS = 15_000;

/** The longest wait for an outcome that is to be held. */
const OUTCOME_WAIT_MS = 2_000;

/** The fates of requests that are broken, one after the other. */
const broken: readonly Passage[] = ['lose reply', 'late', 'cut'];

/** A part of a run: a process that is restarted whenever it ends, and its proxy to the database. */
export class Member {
  /** The numbers of starts and ends of its process. */
  starts = 0;
  ends = 0;
  /** The number of its requests broken by `breakHeartbeats` and `breakClaims`, or held by `lateOutcome`. */
  requestsBroken = 0;
  /** The output of processes that ended although nobody ended them. */
  readonly crashes: string[] = [];
  #child: ChildProcess | undefined;
  #isClosing = false;

  constructor(
    private readonly bundle: string,
    private readonly setting: Omit<Setting, 'start' | 'uri'>,
    private readonly proxy: TcpProxy,
  ) {}

  get name(): string {
    return this.setting.name;
  }

  start(): void {
    const { seed, name } = this.setting;
    const setting: Setting = { ...this.setting, uri: this.#uri, start: this.starts };
    const env = { ...process.env, CLOCK_SKEW_MS: String(clockSkew(seed, name, this.starts)) };
    this.starts += 1;
    const child = spawn(process.execPath, [this.bundle, JSON.stringify(setting)], {
      stdio: ['pipe', 'ignore', 'pipe'],
      env,
    });
    this.#child = child;
    let printed = '';
    child.stderr?.on('data', (text) => {
      printed += text;
    });
    child.on('close', (code, signal) => this.#onEnd(code, signal, printed));
  }

  /** Lets a fault happen, and resolves when it is over. */
  async suffer({ kind, ms }: Fault): Promise<void> {
    switch (kind) {
      case 'kill':
        this.#child?.kill('SIGKILL');
        return;
      case 'terminate':
        this.#child?.kill('SIGTERM');
        return;
      case 'freeze':
        return this.#freeze(ms);
      case 'cut':
        return this.proxy.cut();
      case 'delay':
        return this.proxy.delay(ms);
      case 'hold':
        return this.proxy.hold(ms);
      case 'holdReplies':
        return this.proxy.holdReplies(ms);
      case 'blackhole':
        return this.proxy.blackhole(ms);
      case 'loseReplies':
        return this.proxy.loseReplies(ms);
      case 'silenceRequests':
        return this.proxy.silence('requests');
      case 'silenceReplies':
        return this.proxy.silence('replies');
      case 'breakHeartbeats':
        return this.#break(isHeartbeat, ms);
      case 'breakClaims':
        return this.#break((command) => isClaim(command) || isReadBack(command), ms);
      case 'lateOutcome':
        return this.#holdOutcome(ms);
    }
  }

  /** Tells the process to stop, waits until it has, and does not restart it. */
  async close(): Promise<void> {
    this.#isClosing = true;
    const child = this.#child;
    if (child) {
      const closed = once(child, 'close');
      child.kill('SIGTERM');
      const kill = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
      await closed;
      clearTimeout(kill);
    }
    await this.proxy.close();
  }

  get #uri(): string {
    return `mongodb://127.0.0.1:${this.proxy.port}/`;
  }

  async #break(isToBreak: (command: Document) => boolean, ms: number): Promise<void> {
    const judge = (command: Document): Passage => {
      if (!isToBreak(command)) return 'deliver';
      this.requestsBroken += 1;
      return broken[this.requestsBroken % broken.length] ?? 'cut';
    };
    this.proxy.judgeBy(judge);
    await sleep(ms);
    this.proxy.judgeBy(undefined);
  }

  /** Waits for an outcome, and holds it and all that follows. Gives up if none comes. */
  async #holdOutcome(ms: number): Promise<void> {
    let held: Promise<void> | undefined;
    this.proxy.judgeBy((command) => {
      if (held === undefined && isOutcome(command)) {
        this.requestsBroken += 1;
        held = this.proxy.hold(ms);
      }
      return 'deliver';
    });
    for (let waited = 0; held === undefined && waited < OUTCOME_WAIT_MS; waited += 20) await sleep(20);
    this.proxy.judgeBy(undefined);
    await held;
  }

  async #freeze(ms: number): Promise<void> {
    const child = this.#child;
    child?.kill('SIGSTOP');
    await sleep(ms);
    child?.kill('SIGCONT');
  }

  #onEnd(code: number | null, signal: NodeJS.Signals | null, printed: string): void {
    this.#child = undefined;
    this.ends += 1;
    const isMeant = code === 0 || code === EXIT_OF_A_JOB || signal === 'SIGKILL' || signal === 'SIGTERM';
    if (!isMeant) {
      this.crashes.push(`${this.name} ended with ${code ?? signal}: ${printed}`);
    }
    if (!this.#isClosing) this.start();
  }
}
