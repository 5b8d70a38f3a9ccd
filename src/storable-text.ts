import * as z from 'zod';

/** Text that MongoDB returns unchanged. */
export const storableText = z
  .string()
  .refine((text) => text.isWellFormed() && !text.includes('\0'), 'expected well-formed Unicode without NUL');
