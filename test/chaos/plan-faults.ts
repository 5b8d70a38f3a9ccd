import { Random } from './random.js';

/** The processes of a run, and the roles they have. */
export const cast = {
  worker: ['worker-0', 'worker-1', 'worker-2'],
  scheduler: ['scheduler-0', 'scheduler-1'],
  producer: ['producer-0'],
} as const;

export type Role = keyof typeof cast;

/**
 * - `kill`: SIGKILL; `terminate`: SIGTERM; `freeze`: SIGSTOP, and SIGCONT after `ms`
 * - `cut`: all connections of the process break
 * - `delay`: each packet arrives late; `hold`: none arrives until it is over, then all do, as after a partition;
 *   `holdReplies`: only replies are held
 * - `blackhole`: nothing arrives, and then the connections break; `loseReplies`: the same, but requests do arrive
 * - `silenceRequests`, `silenceReplies`: one connection goes silent in one direction, and nobody is told
 * - `breakHeartbeats`, `breakClaims`: connections break as soon as they are used to renew leases, or to take jobs: before
 *   the request arrives, after it has, or so that it arrives later
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
] as const;
export type FaultKind = (typeof faultKinds)[number];

export interface Fault {
  /** When, in milliseconds from the start. */
  readonly at: number;
  readonly kind: FaultKind;
  /** The process it hits. */
  readonly target: string;
  /** How long it lasts, where that means something. */
  readonly ms: number;
}

/** With leases of 1 s: between two faults, in milliseconds. */
const PAUSE = { min: 300, max: 1900 };

/** How long a fault lasts, in milliseconds. */
const DURATION = { min: 500, max: 2400 };

/** Longer than a lease: others take what it held, and at its end it writes what must not count any more. */
const FREEZE = { min: 1200, max: 2800 };

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

/** Whom a fault may hit, and how often. */
function rolesHitBy(kind: FaultKind): readonly (readonly [Role, number])[] {
  switch (kind) {
    case 'breakHeartbeats':
    case 'breakClaims':
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

/** What goes wrong in a run, and when: the same for the same seed. */
export function planFaults(seed: number, seconds: number): Fault[] {
  const random = new Random(seed);
  const faults: Fault[] = [];
  for (let at = 1500; at < seconds * 1000; at += random.int(PAUSE.min, PAUSE.max)) {
    faults.push(planFault(random, at));
  }
  return faults;
}

function planFault(random: Random, at: number): Fault {
  const kind = random.weighted(weights);
  const role = random.weighted(rolesHitBy(kind));
  const { min, max } = kind === 'freeze' ? FREEZE : DURATION;
  return { at, kind, target: random.pick(cast[role]), ms: random.int(min, max) };
}

/** How wrong the clock of a process is: 10 minutes late, 10 minutes early, or right; in milliseconds. */
export function clockSkew(seed: number, name: string, start: number): number {
  const salt = [...name].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), start);
  return new Random(seed + salt).pick([-600_000, 0, 600_000]);
}
