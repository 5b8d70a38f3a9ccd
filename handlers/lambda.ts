/**
 * The entry point `remote-processor/lambda`, with the functions of a deployment. Each handler is made once, when its module
 * loads, and reads its settings at its first invocation.
 *
 * @example
 * export const handler = createWorkerHandler({ jobs: [resizeImage, sendMail] });
 *
 * @module remote-processor/lambda
 */
import '../src/require-zod.js';

export type { ApiKey, Environment, FunctionConfig } from '../src/config.js';
export type { HandlerOptions, JobFactories } from './container.js';
export { createEnsureIndexesHandler } from './ensure-indexes-handler.js';
export { createHttpHandler } from './http-handler.js';
export { type AskForWorkers, createKick, type KickOptions, type KickRequest } from './kick.js';
export type { HttpAnswer, LambdaContext, LambdaHandler } from './lambda-context.js';
export type { IndexesMade } from './make-indexes.js';
export type { Metric, PublishMetrics } from './metrics.js';
export type { WorkerLimits } from './scale-out.js';
export { createSchedulerHandler, type SchedulerHandlerOptions } from './scheduler-handler.js';
export { createWorkerHandler, type WorkerResult } from './worker-handler.js';
