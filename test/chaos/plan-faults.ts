import { Random } from './random.js';

/** The processes of a run by their role. */
export const cast = {
  worker: ['worker-0', 'worker-1', 'worker-2'],
  scheduler: ['scheduler-0', 'scheduler-1'],
  producer: ['producer-0'],
} as const;

export type Role = keyof typeof cast;

/**
 * The kinds of fault:
 *
 * - `kill`: SIGKILL
 * - `terminate`: SIGTERM
 * - `freeze`: SIGSTOP, and SIGCONT after `ms`
 * - `cut`: all connections of the process break
 * - `delay`: each packet arrives late
 * - `hold`: no packet arrives until the fault is over, then all do, as after a partition
 * - `holdReplies`: like `hold`, but only for replies
 * - `blackhole`: nothing arrives, and then the connections break
 * - `loseReplies`: like `blackhole`, but requests arrive
 * - `silenceRequests`, `silenceReplies`: one connection goes silent in one direction, without an error
 * - `breakHeartbeats`, `breakClaims`: connections break when they are used to renew leases or to take jobs. In turn,
 *   the reply is lost, the request arrives late, or it never arrives
 * - `lateOutcome`: from the moment at which the process settles a job, no packet arrives until the fault is over. By then
 *   the lease has ended, and often another process runs the job, so that the late write must have no effect
 */
export const faultKinds = [
  'kill',
  'terminate',
  'freeze',
  'cut',
  'delay',
  'hold',
  'holdReplies',
  'blackhole',
  'loseReplies',
  'silenceRequests',
  'silenceReplies',
  'breakHeartbeats',
  'breakClaims',
  'lateOutcome',
] as const;
export type FaultKind = (typeof faultKinds)[number];

export interface Fault {
  /** The time in milliseconds from the start. */
  readonly at: number;
  readonly kind: FaultKind;
  /** The process that the fault hits. */
  readonly target: string;
  /** The duration in milliseconds, if the kind of fault has one. */
  readonly ms: number;
}

/** The time between two faults in milliseconds, for leases of 1 s. */
const PAUSE = { min: 300, max: 1900 };

/** The duration of a fault, in milliseconds. */
const DURATION = { min: 500, max: 2400 };

/** Longer than a lease, so that other processes take over the jobs, and late writes must have no effect. */
const FREEZE = { min: 1200, max: 2800 };

/** Another process then has recovered the job, and its run, if it lingers, is still under way. */
const OUTCOME = { min: 1100, max: 1900 };

/** Every so manieth fault is a late outcome, since only some of them meet a job that another process runs. */
const LATE_OUTCOME_EVERY = 3;

const weights: readonly (readonly [FaultKind, number])[] = [
  ['kill', 4],
  ['terminate', 1],
  ['freeze', 5],
  ['cut', 3],
  ['delay', 2],
  ['hold', 2],
  ['holdReplies', 3],
  ['blackhole', 1],
  ['loseReplies', 3],
  ['silenceRequests', 2],
  ['silenceReplies', 2],
  ['breakHeartbeats', 3],
  ['breakClaims', 4],
];

/** Returns the roles that a fault may hit, with their weights. */
function rolesHitBy(kind: FaultKind): readonly (readonly [Role, number])[] {
  switch (kind) {
    case 'breakHeartbeats':
    case 'breakClaims':
    case 'lateOutcome':
      return [['worker', 1]];
    case 'kill':
    case 'terminate':
    case 'freeze':
      return [
        ['worker', 4],
        ['scheduler', 2],
      ];
    default:
      return [
        ['worker', 4],
        ['scheduler', 2],
        ['producer', 1],
      ];
  }
}

/** Returns the faults of a run, the same for the same seed. */
export function planFaults(seed: number, seconds: number): Fault[] {
  const random = new Random(seed);
  const faults: Fault[] = [];
  for (let at = 1500; at < seconds * 1000; at += random.int(PAUSE.min, PAUSE.max)) {
    const isLateOutcome = faults.length % LATE_OUTCOME_EVERY === 0;
    faults.push(planFault(random, at, isLateOutcome ? 'lateOutcome' : random.weighted(weights)));
  }
  return faults;
}

/** A time in which the service is down that jobs behind a circuit breaker need. */
export interface Outage {
  /** The time in milliseconds from the start. */
  readonly at: number;
  readonly ms: number;
}

/** When the service is down: a third of the time, so long that all workers notice the open circuit breaker. */
const OUTAGE = { every: 36_000, from: 10_000, ms: 12_000 };

/** Returns the outages of a run. A short one has none. */
export function planOutages(seconds: number): Outage[] {
  const outages: Outage[] = [];
  for (let at = OUTAGE.from; at + OUTAGE.ms <= seconds * 1000; at += OUTAGE.every)
    outages.push({ at, ms: OUTAGE.ms });
  return outages;
}

function planFault(random: Random, at: number, kind: FaultKind): Fault {
  const role = random.weighted(rolesHitBy(kind));
  const { min, max } = durationOf(kind);
  return { at, kind, target: random.pick(cast[role]), ms: random.int(min, max) };
}

function durationOf(kind: FaultKind): { readonly min: number; readonly max: number } {
  if (kind === 'lateOutcome') return OUTCOME;
  return kind === 'freeze' ? FREEZE : DURATION;
}

/** Returns the error of a process's clock in milliseconds: 10 minutes late, 10 minutes early, or none. */
export function clockSkew(seed: number, name: string, start: number): number {
  const salt = [...name].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), start);
  return new Random(seed + salt).pick([-600_000, 0, 600_000]);
}
