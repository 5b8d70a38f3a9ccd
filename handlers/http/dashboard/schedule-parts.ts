import { isKind } from '../../../src/brand.js';
import { type RemoteProcessor, ValidationError } from '../../../src/index.js';
import { type Field, jsonField } from './form/field.js';
import { inputField } from './job-form.js';
import { valuesOf } from './schedule-draft.js';
import type { DraftPreview } from './schedule-form.js';
import { parseOptions } from './scheduler-text.js';

/** Number of occurrences shown beside a form. */
const SHOWN = 5;

/** Data that the form of a schedule needs besides the schedule. */
export interface ScheduleParts {
  readonly names: readonly string[];
  readonly input: Field;
  readonly preview: DraftPreview;
}

/**
 * Returns a function that returns the field for the input of a kind of jobs. The input of an unknown kind is edited as
 * JSON.
 */
export function inputOf(processor: RemoteProcessor): (jobName: string) => Promise<Field> {
  return async (jobName) => {
    const factory = jobName === '' ? undefined : await processor.factories.get(jobName);
    return factory ? inputField(factory.inputSchema) : jsonField;
  };
}

/** Returns the data for a form with the options in a text. */
export async function schedulePartsOf(processor: RemoteProcessor, text: string): Promise<ScheduleParts> {
  const jobName = valuesOf(text)?.jobName;
  const [names, input, preview] = await Promise.all([
    processor.factories.names(),
    inputOf(processor)(typeof jobName === 'string' ? jobName : ''),
    previewOf(processor, text),
  ]);
  return { names, input, preview };
}

/** Returns when a schedule with these options would be due next. The job that they name need not exist. */
async function previewOf(processor: RemoteProcessor, text: string): Promise<DraftPreview> {
  const { input: _, jobName: __, ...options } = valuesOf(text) ?? {};
  try {
    const scheduler = parseOptions(JSON.stringify({ ...options, jobName: 'any' }));
    return { occurrences: await processor.schedules.preview(scheduler, SHOWN), problem: undefined };
  } catch (error) {
    if (!isKind(error, ValidationError)) throw error;
    const problem = error.issues.map(({ message }) => message).join('; ');
    return { occurrences: [], problem };
  }
}
