import type { Evidence, Violation } from './evidence.js';
import { attemptsAddUp } from './rules/attempts-add-up.js';
import { breakersHold } from './rules/breakers-hold.js';
import { cancelledMeansCancelled } from './rules/cancelled-means-cancelled.js';
import { groupsHold } from './rules/groups-hold.js';
import { limitsHold } from './rules/limits-hold.js';
import { notBeforeItsTime } from './rules/not-before-its-time.js';
import { nothingLeft } from './rules/nothing-left.js';
import { nothingLost } from './rules/nothing-lost.js';
import { oneJobPerOccurrence } from './rules/one-job-per-occurrence.js';
import { oneJobPerUniqueKey } from './rules/one-job-per-unique-key.js';
import { oneLeaseAtATime } from './rules/one-lease-at-a-time.js';
import { orderHolds } from './rules/order-holds.js';
import { outcomeIsItsOwn } from './rules/outcome-is-its-own.js';
import { ratesHold } from './rules/rates-hold.js';
import { settledIsFinal } from './rules/settled-is-final.js';
import { stepsHold } from './rules/steps-hold.js';

const rules = [
  nothingLost,
  oneLeaseAtATime,
  outcomeIsItsOwn,
  settledIsFinal,
  oneJobPerOccurrence,
  cancelledMeansCancelled,
  notBeforeItsTime,
  attemptsAddUp,
  oneJobPerUniqueKey,
  limitsHold,
  ratesHold,
  orderHolds,
  stepsHold,
  breakersHold,
  groupsHold,
  nothingLeft,
  noCrashes,
];

/** Returns everything that the evidence proves to be wrong. Reads nothing but the evidence. */
export function check(evidence: Evidence): Violation[] {
  return rules.flatMap((rule) => rule(evidence));
}

function noCrashes({ crashes }: Evidence): Violation[] {
  return crashes.map((message) => ({ rule: 'crash', message, documents: [] }));
}
