import * as z from 'zod';

/** Returns the schema of an object with members of any names. Refuses one named `__proto__`, which zod would leave out. */
export function namedRecord<Name extends z.ZodString, Member extends z.ZodType>(name: Name, member: Member) {
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
