import type { Measurement } from '../bench.js';
import { add } from './add.js';
import { backlog } from './backlog.js';
import { busy } from './busy.js';
import { competition } from './competition.js';
import { drain } from './drain.js';
import { fanOut } from './fan-out.js';
import { flat } from './flat.js';
import { idle } from './idle.js';
import { latency } from './latency.js';
import { limits } from './limits.js';
import { neighbours } from './neighbours.js';
import { steps } from './steps.js';
import { urgent } from './urgent.js';

/** All measurements, in the order of the table. */
export const measurements: readonly Measurement[] = [
  drain,
  busy,
  competition,
  latency,
  urgent,
  idle,
  add,
  neighbours,
  limits,
  steps,
  fanOut,
  backlog,
  flat,
];
