import * as z from 'zod';
import { JsonTree } from './json-tree.js';

const fraction = z.number().min(0).max(1);
const message = z.string().optional();

/** The forms of progress that are shown as a bar. */
const barSchema = z.union([
  fraction.transform((fraction) => ({ fraction, message: undefined })),
  z.strictObject({ fraction, message }),
  z
    .strictObject({ done: z.number().min(0), of: z.number().positive(), message })
    .refine(({ done, of }) => done <= of)
    .transform(({ done, of, message }) => ({
      fraction: done / of,
      message: [`${done} of ${of}`, message].filter((text) => text !== undefined).join(': '),
    })),
]);

/** Shows a job's progress as a small bar. Shows nothing if it cannot be shown as a bar. */
export function ProgressBar({ value }: { value: unknown }) {
  const { data } = barSchema.safeParse(value);
  return data ? <Bar fraction={data.fraction} /> : null;
}

/** Shows a job's progress as a bar, or as JSON if it cannot be shown as a bar. */
export function Progress({ value }: { value: unknown }) {
  const { data } = barSchema.safeParse(value);
  if (!data) return <JsonTree value={value} />;
  return (
    <>
      <Bar fraction={data.fraction} />{' '}
      <span>{[percent(data.fraction), data.message].filter((text) => text).join(' · ')}</span>
    </>
  );
}

/** Shows a fraction, 0 to 1, as a small bar. */
export function Bar({ fraction }: { fraction: number }) {
  return (
    <progress max="1" value={fraction} aria-label="Progress" title={percent(fraction)}>
      {percent(fraction)}
    </progress>
  );
}

function percent(fraction: number): string {
  return `${Math.floor(fraction * 100)} %`;
}
