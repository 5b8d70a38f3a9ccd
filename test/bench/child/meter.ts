import { subscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { z } from 'zod';
import type { Monitored } from '../contenders/contender.js';
import { now } from './now.js';
import type { Reading } from './setting.js';

/** Counts what a client sends, and what its process uses. */
export class Meter {
  /** Commands by name, since the last `begin`. */
  commands = new Map<string, number>();
  #began = now();
  #lastReply = now();
  #bytes = 0;
  #cpu = process.cpuUsage();

  /** @param client undefined for a library that does not work on MongoDB, whose commands are not counted */
  constructor(private readonly client: Monitored | undefined) {
    client?.on('commandStarted', ({ commandName }) => {
      this.commands.set(commandName, (this.commands.get(commandName) ?? 0) + 1);
    });
    const replied = ({ commandName }: { readonly commandName: string }) => {
      // A change stream's reply comes only when something changes.
      if (commandName !== 'getMore') this.#lastReply = now();
    };
    client?.on('commandSucceeded', replied);
    client?.on('commandFailed', replied);
  }

  begin(): void {
    this.commands = new Map();
    this.#bytes = socketBytes();
    this.#cpu = process.cpuUsage();
    this.#began = now();
    this.#lastReply = this.#began;
  }

  get commandCount(): number {
    return [...this.commands.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Returns the counts since `begin`. */
  read(): Omit<Reading, 'ran' | 'samples'> {
    const { user, system } = process.cpuUsage(this.#cpu);
    return {
      began: this.#began,
      ended: this.client ? this.#lastReply : now(),
      commands: this.commandCount,
      bytes: socketBytes() - this.#bytes,
      peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
      cpuMs: (user + system) / 1000,
    };
  }
}

const sockets = new Set<Socket>();

/** Starts counting the bytes of every TCP connection, except those inside TLS. */
export function countSocketBytes(): void {
  subscribe('net.client.socket', (message) => {
    const event = z.object({ socket: z.custom<Socket>((value) => value instanceof Object) }).parse(message);
    sockets.add(event.socket);
  });
}

function socketBytes(): number {
  return [...sockets].reduce((sum, { bytesRead, bytesWritten }) => sum + bytesRead + bytesWritten, 0);
}
