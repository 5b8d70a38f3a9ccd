import * as z from 'zod';

/** Text that MongoDB gives back as it is. */
export const storableText = z
  .string()
  .refine((text) => text.isWellFormed() && !text.includes('\0'), 'expected well-formed Unicode without NUL');
