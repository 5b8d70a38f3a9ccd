import { ConflictError, ValidationError } from 'remote-processor';
import { confirmOrder } from '../../jobs';
import { processor } from '../../processor';

/** Adds a job. The id makes an order that is sent twice one job. */
export async function POST(request: Request): Promise<Response> {
  const body = await request.json().catch(() => undefined);
  try {
    const id = await processor().addJob(confirmOrder, body, { id: `confirm-${body?.order}` });
    return Response.json({ id }, { status: 202 });
  } catch (error) {
    if (error instanceof ValidationError) return Response.json({ issues: error.issues }, { status: 422 });
    if (error instanceof ConflictError) return Response.json({ message: error.message }, { status: 409 });
    throw error;
  }
}

/** Tells how the job of an order gets on: `/orders?order=4711`. */
export async function GET(request: Request): Promise<Response> {
  const order = new URL(request.url).searchParams.get('order');
  const job = await processor().getJob(`confirm-${order}`);
  return Response.json({ status: job?.status, confirmation: job?.output }, { status: job ? 200 : 404 });
}
