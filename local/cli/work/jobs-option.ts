import { Option } from '@commander-js/extra-typings';

/** Which code jobs and schedules are made of. */
export function jobsOption() {
  return new Option(
    '--jobs <module>',
    'a module that exports `jobs` and maybe `schedules`; without it the jobs of this package',
  );
}
