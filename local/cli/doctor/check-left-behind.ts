import type { Collections } from '../../../src/mongo/collections.js';
import { findLeftBehind, leftBehindText } from '../../../src/mongo/find-left-behind.js';
import { examine, type Finding, ok, warning } from './finding.js';

const CHECK = 'collections';

/** Whether jobs and schedules of a version before there was a prefix are still seen. */
export async function checkLeftBehind(collections: Collections): Promise<readonly Finding[]> {
  return examine(CHECK, 'Look whether the user of MONGODB_URI may read the database', async () => {
    const names = await findLeftBehind(collections);
    if (names.length === 0) return ok(CHECK, 'nothing is left behind under former names');
    const [detail = '', fix = ''] = leftBehindText(names, collections).split('. ');
    return warning(CHECK, detail, fix);
  });
}
