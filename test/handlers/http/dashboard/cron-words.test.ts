import { expect, test } from 'vitest';
import { cronWords, listsWords } from '../../../../handlers/http/dashboard/cron-words.js';

test.each([
  ['0 9 * * MON-FRI', 'at 09:00, Monday to Friday'],
  ['* * * * *', 'every minute'],
  ['*/5 * * * *', 'every 5 minutes'],
  ['@hourly', 'every hour'],
  ['30 * * * *', 'every hour, at minute 30'],
  ['15 */6 * * *', 'every 6 hours, at minute 15'],
  ['@daily', 'at 00:00'],
  ['0 8,12,17 * * 6,0', 'at 08:00, 12:00 and 17:00, Saturday and Sunday'],
  ['0 9-17 * * *', 'at minute 0 from 09:00 to 17:59'],
  ['*/15 9-17 * * 1', 'every 15 minutes from 09:00 to 17:59, Monday'],
  ['0 0 1,15 * *', 'at 00:00, on day 1 and 15 of the month'],
  ['0 0 L 1,7 *', 'at 00:00, on the last day of the month, in January and July'],
  ['0 0 1 * MON', 'at 00:00, on day 1 of the month, or Monday'],
  ['0 9 * * 5#3', 'at 09:00, on the third Friday of the month'],
  ['0 9 * * 5L', 'at 09:00, on the last Friday of the month'],
  ['*/10 * * * * *', 'every minute, every 10 seconds'],
  ['7,9 * 1-5 JAN-MAR *', 'at minutes 7 and 9, on day 1 to 5 of the month, in January to March'],
  ['0 9 * * MON-WED,FRI,SUN', 'at 09:00, Monday to Wednesday, Friday and Sunday'],
  ['nonsense', undefined],
  ['61 * * * *', undefined],
])('%s is %s', (cron, words) => {
  expect(cronWords(cron)).toBe(words);
});

test('lists are told in the same words, and all must match', () => {
  const none = { minute: [], hour: [], dayOfMonth: [], month: [], dayOfWeek: [] };
  expect(listsWords(none)).toBe('every minute');
  expect(listsWords({ ...none, minute: [30], hour: [6], dayOfMonth: [13], dayOfWeek: [4] })).toBe(
    'at 06:30, on day 13 of the month, if it is Friday',
  );
});
