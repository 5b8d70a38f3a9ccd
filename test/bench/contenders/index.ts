import { agenda, agendaAsItComes } from './agenda.js';
import type { Contender, WorkerName } from './contender.js';
import { floor } from './floor.js';
import { mongoJobs } from './mongo-jobs.js';
import { remoteProcessor } from './remote-processor.js';

export const contenders: Readonly<Record<WorkerName, Contender>> = {
  'remote-processor': remoteProcessor,
  agenda,
  'agenda-as-it-comes': agendaAsItComes,
  'mongo-jobs': mongoJobs,
  floor,
};
