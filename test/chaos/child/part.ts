import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LocalProcessor } from '../../../local/processor.js';
import type { Ledger } from './ledger.js';
import type { Setting } from './setting.js';

/** The tools with which a process plays its part. */
export interface Part {
  readonly setting: Setting;
  /** A processor whose connections pass through the proxy. */
  readonly processor: LocalProcessor;
  readonly ledger: Ledger;
  /** Fires at SIGTERM. */
  readonly stop: AbortSignal;
}

const PAUSE_MS = 150;

/** Repeats `operation` until it succeeds, because the database may be out of reach. Undefined when told to stop. */
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
