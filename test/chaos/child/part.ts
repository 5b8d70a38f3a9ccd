import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LocalProcessor } from '../../../local/processor.js';
import type { Ledger } from './ledger.js';
import type { Setting } from './setting.js';

/** What a process needs to play its part. */
export interface Part {
  readonly setting: Setting;
  /** Its connections go by way of the proxy. */
  readonly processor: LocalProcessor;
  readonly ledger: Ledger;
  /** Fires at SIGTERM. */
  readonly stop: AbortSignal;
}

const PAUSE_MS = 150;

/** Calls `operation` until it succeeds: the database may be out of reach. Undefined when it was told to stop. */
export async function untilItSucceeds<Result>(
  operation: () => Promise<Result>,
  stop: AbortSignal,
): Promise<Result | undefined> {
  while (!stop.aborted) {
    try {
      return await operation();
    } catch {
      await sleep(PAUSE_MS);
    }
  }
  return undefined;
}

export async function stopped(stop: AbortSignal): Promise<void> {
  if (!stop.aborted) await once(stop, 'abort');
}
