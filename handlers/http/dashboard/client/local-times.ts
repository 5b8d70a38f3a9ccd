/**
 * Shows the moments of a page by the clock of the reader's place, if the reader wants that. The tooltips stay in UTC. The server
 * cannot do this, because it does not know the time zone.
 */
export function showLocalTimes(page: Document): void {
  // Swedish writes dates as ISO 8601 does.
  for (const time of page.querySelectorAll<HTMLTimeElement>('time[data-local]'))
    time.textContent = new Date(time.dateTime).toLocaleString('sv');
}
