import { agenda, agendaAsItComes } from './agenda.js';
import { bullmq } from './bullmq.js';
import {
  type Contender,
  DBOS,
  type MeasuredName,
  type NeighbourName,
  type Participant,
  type WorkerName,
} from './contender.js';
import { floor } from './floor.js';
import { graphileWorker } from './graphile-worker.js';
import { mongoJobs } from './mongo-jobs.js';
import { pgBoss } from './pg-boss.js';
import { remoteProcessor } from './remote-processor.js';

export const contenders: Readonly<Record<WorkerName, Contender>> = {
  'remote-processor': remoteProcessor,
  agenda,
  'agenda-as-it-comes': agendaAsItComes,
  'mongo-jobs': mongoJobs,
  floor,
};

/** The contenders, and the neighbours that work on other databases. */
export const participants: Readonly<Record<WorkerName | NeighbourName, Participant>> = {
  ...contenders,
  bullmq,
  'graphile-worker': graphileWorker,
  'pg-boss': pgBoss,
};

/** Returns the name of anything that has figures, as tables show it. */
export function titleOf(name: MeasuredName): string {
  return name === DBOS ? 'DBOS' : participants[name].title;
}
