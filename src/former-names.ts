import type { JobCounts } from './job/count-jobs.js';
import type { Factories } from './job/factories.js';
import type { JobLog } from './job/find-job-log.js';
import type { WaitingJob } from './job/find-oldest-waiting.js';
import type { Jobs } from './job/jobs.js';
import type { JobFactoryInfo, JobFactoryPage } from './job/list-job-factories.js';
import type { JobPage, JobsFilter } from './job/list-jobs.js';
import type { PageFilter } from './page-filter.js';
import type { Queue, QueuePage } from './queue/queue-document.js';
import type { Queues } from './queue/queues.js';
import type { SchedulerItem } from './scheduler/item.js';
import type { SchedulerPage, SchedulersFilter } from './scheduler/list-items.js';
import type { Preview } from './scheduler/preview.js';
import type { SchedulerOptions } from './scheduler/scheduler-options.js';
import type { RunNowOptions, Schedules } from './scheduler/schedules.js';
import type { StatisticsOptions, StatisticsPoint } from './statistics/find-statistics.js';
import type { Statistics } from './statistics/statistics.js';
import type { WorkerPage } from './worker/find-live-workers.js';
import type { LiveWorker } from './worker/worker-document.js';
import type { Workers } from './worker/workers.js';

/** Deprecated names of methods, from version 0.1, when all methods were on the processor. The next version removes them. */
export abstract class FormerNames {
  abstract readonly jobs: Jobs;
  abstract readonly factories: Factories;
  abstract readonly queues: Queues;
  abstract readonly schedules: Schedules;
  abstract readonly statistics: Statistics;
  abstract readonly workers: Workers;

  /** @deprecated `jobs.list` */
  listJobs(filter?: JobsFilter): Promise<JobPage> {
    return this.jobs.list(filter);
  }

  /** @deprecated `jobs.log` */
  getJobLog(id: string): Promise<JobLog> {
    return this.jobs.log(id);
  }

  /** @deprecated `jobs.count` */
  countJobs(): Promise<JobCounts> {
    return this.jobs.count();
  }

  /** @deprecated `jobs.countReady` */
  countReadyJobs(limit?: number): Promise<number> {
    return this.jobs.countReady(limit);
  }

  /** @deprecated `jobs.oldestWaiting` */
  getOldestWaitingJobs(): Promise<WaitingJob[]> {
    return this.jobs.oldestWaiting();
  }

  /** @deprecated `factories.list` */
  listJobFactories(filter?: PageFilter): Promise<JobFactoryPage> {
    return this.factories.list(filter);
  }

  /** @deprecated `factories.get` */
  getJobFactory(name: string): Promise<JobFactoryInfo | undefined> {
    return this.factories.get(name);
  }

  /** @deprecated `factories.names` */
  getJobNames(): Promise<string[]> {
    return this.factories.names();
  }

  /** @deprecated `queues.list` */
  listQueues(filter?: PageFilter): Promise<QueuePage> {
    return this.queues.list(filter);
  }

  /** @deprecated `queues.list` */
  async getQueues(): Promise<Queue[]> {
    return (await this.queues.list({ limit: 1000 })).queues;
  }

  /** @deprecated `queues.pause` */
  pauseQueue(name: string): Promise<Date> {
    return this.queues.pause(name);
  }

  /** @deprecated `queues.resume` */
  resumeQueue(name: string): Promise<void> {
    return this.queues.resume(name);
  }

  /** @deprecated `workers.list` */
  listWorkers(filter?: PageFilter): Promise<WorkerPage> {
    return this.workers.list(filter);
  }

  /** @deprecated `workers.list` */
  async getWorkers(): Promise<LiveWorker[]> {
    return (await this.workers.list({ limit: 1000 })).workers;
  }

  /** @deprecated `workers.count` */
  countWorkers(): Promise<number> {
    return this.workers.count();
  }

  /** @deprecated `statistics.get` */
  getStatistics(options?: StatisticsOptions): Promise<StatisticsPoint[]> {
    return this.statistics.get(options);
  }

  /** @deprecated `schedules.list` */
  listSchedulers(filter?: SchedulersFilter): Promise<SchedulerPage> {
    return this.schedules.list(filter);
  }

  /** @deprecated `schedules.next` */
  getNextSchedulers(limit?: number): Promise<SchedulerItem[]> {
    return this.schedules.next(limit);
  }

  /** @deprecated `schedules.runNow` */
  runNow(schedulerId: string, options?: RunNowOptions): Promise<string> {
    return this.schedules.runNow(schedulerId, options);
  }

  /** @deprecated `schedules.preview` */
  preview(scheduler: string | SchedulerOptions, count?: number): Promise<Preview[]> {
    return this.schedules.preview(scheduler, count);
  }
}
