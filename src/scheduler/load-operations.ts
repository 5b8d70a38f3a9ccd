/** Loaded when it is first asked for: a worker starts without it, and without what reads cron expressions. */
export const scheduling = () => import('./operations.js');
