import * as z from 'zod';

/**
 * Returns the schema of an object with members of any names. It refuses a member named `__proto__`, which zod would leave out.
 * Its declared type is plain, since the lowest supported version of zod has no type for `preprocess`.
 */
export function namedRecord<Member extends z.ZodType>(
  name: z.ZodString,
  member: Member,
): z.ZodType<Record<string, z.output<Member>>> {
  return z.preprocess(
    (value, context) => {
      const isLost = typeof value === 'object' && value !== null && Object.hasOwn(value, '__proto__');
      if (isLost)
        context.addIssue({ code: 'custom', path: ['__proto__'], message: 'this name cannot be used' });
      return value;
    },
    z.record(name, member),
  );
}
