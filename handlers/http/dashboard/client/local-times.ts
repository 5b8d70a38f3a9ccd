/**
 * Shows the moments of a page in local time, if the reader wants that. The tooltips stay in UTC. The server cannot do
 * this, because it does not know the reader's time zone.
 */
export function showLocalTimes(page: Document): void {
  // Swedish writes dates as ISO 8601 does.
  for (const time of page.querySelectorAll<HTMLTimeElement>('time[data-local]'))
    time.textContent = new Date(time.dateTime).toLocaleString('sv');
}
