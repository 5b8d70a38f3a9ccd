import express, { type ErrorRequestHandler, type Express } from 'express';
import { ConflictError, type RemoteProcessor, ValidationError } from 'remote-processor';
import { confirmOrder } from './jobs.js';

/** An app that adds jobs, and tells how they get on. It runs none. */
export function createApp(processor: RemoteProcessor): Express {
  const app = express();
  app.use(express.json());

  app.post('/orders', async ({ body }, response) => {
    // The id makes an order that is sent twice one job.
    const id = await processor.addJob(confirmOrder, body, { id: `confirm-${body?.order}` });
    response.status(202).json({ id });
  });

  app.get('/orders/:order', async ({ params }, response) => {
    const job = await processor.getJob(`confirm-${params.order}`);
    response.status(job ? 200 : 404).json({ status: job?.status, confirmation: job?.output });
  });

  app.use(explain);
  return app;
}

/** Answers what the caller did wrong. Express answers 500 for all else. */
const explain: ErrorRequestHandler = (error, _request, response, next) => {
  if (error instanceof ValidationError) response.status(422).json({ issues: error.issues });
  else if (error instanceof ConflictError) response.status(409).json({ message: error.message });
  else next(error);
};
