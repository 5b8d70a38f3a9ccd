/** Loads the operations on first use. A worker then starts without them and without the cron parser. */
export const scheduling = () => import('./operations.js');
