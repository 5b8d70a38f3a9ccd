/**
 * The entry point `remote-processor/opentelemetry`.
 *
 * @module remote-processor/opentelemetry
 */
import '../require-zod.js';
import {
  context,
  type Link,
  type MeterProvider,
  metrics,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TracerProvider,
  trace,
} from '@opentelemetry/api';
import * as z from 'zod';
import { isKind } from '../brand.js';
import { JobSuspended, Snooze } from '../errors.js';
import type { StepEnded } from '../events.js';
import type { JobBeingAdded } from '../job/addition.js';
import { toFailure } from '../job/failure.js';
import type { RunContext, StepRunContext } from '../job/middleware.js';
import { fieldOf } from '../mongo/driver-error.js';
import type { RemoteProcessor } from '../processor.js';
import { validateNow } from '../validate.js';
import {
  attributesOf,
  consumedMessages,
  durationBuckets,
  errorAttributes,
  type Operation,
  operationDuration,
  processDuration,
  sentMessages,
  spanAttributesOf,
  stepAttributesOf,
  suspended,
} from './conventions.js';
import { toMetadata, toSpanContext } from './trace-context.js';

/**
 * Providers that receive spans and metrics. Default: those registered with the OpenTelemetry API when `instrument` is
 * called.
 */
export interface InstrumentOptions {
  readonly tracerProvider?: TracerProvider | undefined;
  readonly meterProvider?: MeterProvider | undefined;
}

const optionsSchema = z.strictObject({
  tracerProvider: z
    .custom((value) => typeof fieldOf(value, 'getTracer') === 'function', 'expected a TracerProvider')
    .optional(),
  meterProvider: z
    .custom((value) => typeof fieldOf(value, 'getMeter') === 'function', 'expected a MeterProvider')
    .optional(),
});

const NAME = 'remote-processor';

/**
 * Makes spans and metrics for a processor, following the semantic conventions for messaging. Call this once, before adding
 * other middleware, so that the spans include that middleware.
 *
 * Adding a job makes a span `send <jobName>`. Its context is stored with the job. Running the job makes a span
 * `process <jobName>` with a link to `send`. The parent of that span is the active span, such as an invocation's, or else
 * `send`. Each try of a step, and each wait, makes a span `step <name>` in the span `process <jobName>`.
 *
 * @throws ValidationError listing invalid options
 * @example instrument(processor);
 */
export function instrument(
  processor: Pick<RemoteProcessor, 'use' | 'on'>,
  options: InstrumentOptions = {},
): void {
  validateNow(optionsSchema, options, 'The call of instrument');
  const telemetry = new Telemetry(options);
  processor.use({
    add: (job, next) => telemetry.send(job, next),
    run: (run, next) => telemetry.process(run, next),
    step: (step, next) => telemetry.step(step, next),
  });
  processor.on('stepEnded', (step) => telemetry.waited(step));
}

class Telemetry {
  readonly #tracer;
  readonly #send;
  readonly #process;

  constructor({
    tracerProvider = trace.getTracerProvider(),
    meterProvider = metrics.getMeterProvider(),
  }: InstrumentOptions) {
    const meter = meterProvider.getMeter(NAME);
    const inSeconds = { unit: 's', advice: { explicitBucketBoundaries: durationBuckets } };
    const messages = { unit: '{message}' };
    this.#tracer = tracerProvider.getTracer(NAME);
    this.#send = {
      count: meter.createCounter(sentMessages, messages),
      duration: meter.createHistogram(operationDuration, inSeconds),
    };
    this.#process = {
      count: meter.createCounter(consumedMessages, messages),
      duration: meter.createHistogram(processDuration, inSeconds),
    };
  }

  /**
   * Wraps adding a job in a span. If no span is active, the parent is the context that the job holds, such as an HTTP
   * request's.
   */
  async send(job: JobBeingAdded, next: () => Promise<void>): Promise<void> {
    const { jobId, jobName, queue, metadata } = job;
    const active = context.active();
    const given = toSpanContext(metadata);
    const parent = given && !trace.getSpan(active) ? trace.setSpanContext(active, given) : active;
    const attributes = { ...attributesOf('send', jobName), ...spanAttributesOf('send', jobId, queue) };
    const span = this.#tracer.startSpan(`send ${jobName}`, { kind: SpanKind.PRODUCER, attributes }, parent);
    if (trace.isSpanContextValid(span.spanContext())) {
      delete metadata.tracestate;
      Object.assign(metadata, toMetadata(span.spanContext()));
    }
    await this.#measure('send', jobName, span, () => context.with(trace.setSpan(parent, span), next));
  }

  async process(run: RunContext, next: () => Promise<unknown>): Promise<void> {
    const { jobId, jobName, queue, attempt, metadata } = run;
    const active = context.active();
    const creation = toSpanContext(metadata);
    const links: Link[] = creation ? [{ context: creation }] : [];
    const parent = creation && !trace.getSpan(active) ? trace.setSpanContext(active, creation) : active;
    const attributes = {
      ...attributesOf('process', jobName),
      ...spanAttributesOf('process', jobId, queue),
      'remote_processor.attempt': attempt,
    };
    const options = { kind: SpanKind.CONSUMER, attributes, links };
    const span = this.#tracer.startSpan(`process ${jobName}`, options, parent);
    const work = () => context.with(trace.setSpan(parent, span), next);
    await this.#measure('process', jobName, span, work, run.redacted);
  }

  async step(
    { jobId, jobName, redacted, ...call }: StepRunContext,
    next: () => Promise<unknown>,
  ): Promise<void> {
    const active = context.active();
    const attributes = stepAttributesOf({ jobId, jobName, ...call });
    const span = this.#tracer.startSpan(`step ${call.step}`, { attributes }, active);
    try {
      await context.with(trace.setSpan(active, span), next);
    } catch (error) {
      if (isKind(error, JobSuspended)) span.setAttributes(suspended);
      else tellFailure(span, error, redacted);
      throw error;
    } finally {
      span.end();
    }
  }

  /** Makes a span for a wait that is over. Other steps already have a span. */
  waited({ tries, durationMs, state, ...step }: StepEnded): void {
    if (tries > 0) return;
    const attributes = { ...stepAttributesOf(step), 'remote_processor.step.state': state };
    const startTime = Date.now() - durationMs;
    this.#tracer.startSpan(`step ${step.step}`, { attributes, startTime }, context.active()).end();
  }

  async #measure(
    operation: Operation,
    jobName: string,
    span: Span,
    next: () => Promise<unknown>,
    redacted?: RunContext['redacted'],
  ) {
    const { count, duration } = operation === 'send' ? this.#send : this.#process;
    const began = performance.now();
    let attributes = attributesOf(operation, jobName);
    try {
      await next();
    } catch (error) {
      // A job that snoozes, or goes on later, has not failed.
      if (isKind(error, JobSuspended)) span.setAttributes(suspended);
      else if (!isKind(error, Snooze)) {
        attributes = { ...attributes, ...errorAttributes(error) };
        tellFailure(span, error, redacted);
      }
      throw error;
    } finally {
      count.add(1, attributes);
      duration.record((performance.now() - began) / 1000, attributes);
      span.end();
    }
  }
}

function tellFailure(span: Span, error: unknown, redacted = (text: string) => text): void {
  const failure = toFailure(error);
  const [message, stack] = [redacted(failure.message), failure.stack && redacted(failure.stack)];
  span.setAttributes(errorAttributes(error));
  span.recordException({
    name: String(errorAttributes(error)['error.type']),
    message,
    ...(stack && { stack }),
  });
  span.setStatus({ code: SpanStatusCode.ERROR, message });
}
