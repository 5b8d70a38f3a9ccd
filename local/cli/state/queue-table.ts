import { fromNow } from '../output/moment.js';
import type { Column } from '../output/table.js';
import { countText, type ShownQueue } from './counts.js';

/** The columns of a list of queues. */
export const queueColumns: readonly Column<ShownQueue>[] = [
  { title: 'QUEUE', value: ({ name }) => name, mayShrink: true },
  { title: 'READY', value: ({ ready }) => countText(ready), align: 'right' },
  { title: 'DELAYED', value: ({ delayed }) => countText(delayed), align: 'right' },
  { title: 'OLDEST DUE', value: ({ oldest }) => fromNow(oldest), align: 'right' },
  {
    title: 'PAUSED',
    value: ({ paused }) => (paused === null ? '' : fromNow(paused)),
    style: () => 'yellow',
  },
];
