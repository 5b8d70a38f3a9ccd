import { agenda } from './agenda.js';
import type { Contender, ContenderName } from './contender.js';
import { floor } from './floor.js';
import { mongoJobs } from './mongo-jobs.js';
import { remoteProcessor } from './remote-processor.js';

export const contenders: Readonly<Record<ContenderName, Contender>> = {
  'remote-processor': remoteProcessor,
  agenda,
  'mongo-jobs': mongoJobs,
  floor,
};
