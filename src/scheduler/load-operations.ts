/** Loads the operations on first use, so that a worker starts without them and the cron parser. */
export const scheduling = () => import('./operations.js');
