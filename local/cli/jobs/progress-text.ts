import * as z from 'zod';

const fraction = z.number().min(0).max(1);
const message = z.string().optional();

/** The forms of progress that are shown as a bar. */
const barShape = z.union([
  fraction.transform((part) => ({ fraction: part, message: undefined })),
  z.object({ fraction, message }),
  z
    .object({ done: z.number().min(0), of: z.number().positive(), message })
    .transform(({ done, of, message }) => ({ fraction: Math.min(1, done / of), message })),
]);

/** Returns the progress of a job as text: a bar for the forms above, JSON for any other form. Empty without progress. */
export function progressText(progress: unknown, width = 20): string {
  if (progress === null || progress === undefined) return '';
  const { data: bar } = barShape.safeParse(progress);
  if (!bar) return JSON.stringify(progress);
  const full = Math.round(bar.fraction * width);
  const percent = `${Math.round(bar.fraction * 100)}%`;
  const parts = [`${'█'.repeat(full)}${'░'.repeat(width - full)}`, percent, bar.message ?? ''];
  return parts.filter((part) => part !== '').join(' ');
}
