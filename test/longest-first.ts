import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that start processes or browsers: short to read, long to run. */
const long =
  /\/(chaos|e2e|processes)\/|large-documents|serverless|worker-container|local\/cli\/work|\/copies\//;

/** Begins with the files that take longest, so that none of them is still under way when the others have ended. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification) => long.test(moduleId);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}
