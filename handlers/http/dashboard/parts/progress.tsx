import * as z from 'zod';
import { JsonTree } from './json-tree.js';

const fraction = z.number().min(0).max(1);
const message = z.string().optional();

/** The forms that are shown as a bar. */
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

/** How far a job is, as it says: a bar, or whatever it is. */
export function Progress({ value }: { value: unknown }) {
  const { data } = barSchema.safeParse(value);
  if (!data) return <JsonTree value={value} />;
  const percent = `${Math.floor(data.fraction * 100)} %`;
  return (
    <>
      <progress max="1" value={data.fraction} aria-label="Progress">
        {percent}
      </progress>{' '}
      <span>{[percent, data.message].filter((text) => text).join(' · ')}</span>
    </>
  );
}
