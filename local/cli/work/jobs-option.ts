import { Option } from '@commander-js/extra-typings';

/** Returns the option for the code of jobs and schedules. */
export function jobsOption() {
  return new Option(
    '--jobs <module>',
    'a module that exports `jobs` and optionally `schedules`; default: the jobs of this package',
  );
}
