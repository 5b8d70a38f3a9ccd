import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * The files that take longest. Busy files, with processes and browsers, alternate with files that mostly wait, so that
 * the busy ones do not all run at the same time.
 */
const longest = [
  'e2e/dashboard',
  'processes/processes',
  'worker/drain.embedded',
  'handlers/worker-container',
  'chaos/chaos',
  'local/cli/work',
  'worker/database-failures.embedded',
  'scheduler/processes/killed',
  'worker/limits',
  'handlers/http/large-documents',
  'e2e/stop-without-database',
  'worker/reports.embedded',
  'e2e/start',
  'worker/lost-requests.embedded',
  'application/application-database',
  'copies/two-copies',
  'handlers/worker-handler',
  'job/add-job',
  'scheduler/processes/many-schedulers',
  'copies/lowest-peers',
  'scheduler/model/model.embedded',
  'model/state-machine',
].map((name) => `/test/${name}.test.ts`);

/** Begins with the files that take longest, so that none of them is still running when the others have ended. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((one, other) => placeOf(one) - placeOf(other));
  }
}

function placeOf({ moduleId }: TestSpecification): number {
  const place = longest.findIndex((name) => moduleId.endsWith(name));
  return place === -1 ? longest.length : place;
}
