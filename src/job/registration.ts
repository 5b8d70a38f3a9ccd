import * as z from 'zod';
import { validateNow } from '../validate.js';
import { isJobContract, isJobFactory, type JobFactory, jobNameSchema, NO_CODE } from './define-job.js';
import { jobsByName } from './jobs-by-name.js';

/** A job factory, and the name under which to register it. */
export type Registration = readonly [name: string, factory: JobFactory];

const factorySchema = z.custom<JobFactory>(isJobFactory, {
  error: ({ input }) => (isJobContract(input) ? NO_CODE : 'expected a job factory, made by defineJob'),
});
const itsName = z.object({ factory: factorySchema });
const anotherName = z.object({ name: jobNameSchema, factory: factorySchema });
const factoryList = z.array(factorySchema);
const factoriesByName = jobsByName(factorySchema);

/** Reads the arguments of `addJobFactory`. @throws ValidationError that names them */
export function readRegistration(args: readonly unknown[]): Registration {
  const subject = 'The call of addJobFactory';
  if (args.length === 1) return named(validateNow(itsName, { factory: args[0] }, subject).factory);
  const { name, factory } = validateNow(anotherName, { name: args[0], factory: args[1] }, subject);
  return [name, factory];
}

/** Reads the argument of `addJobFactories`. @throws ValidationError with the positions in the list, or the names */
export function readRegistrations(given: unknown): Registration[] {
  const subject = 'The call of addJobFactories';
  if (Array.isArray(given)) return validateNow(factoryList, given, subject).map(named);
  return Object.entries(validateNow(factoriesByName, given, subject));
}

function named(factory: JobFactory): Registration {
  return [factory.name, factory];
}
