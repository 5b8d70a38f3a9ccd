import { redirect } from 'next/navigation';
import { confirmOrder } from '../jobs';
import { processor } from '../processor';

/** A server action that adds the same job as the route. */
async function order(form: FormData) {
  'use server';
  const input = { order: String(form.get('order')), email: String(form.get('email')) };
  await processor().addJob(confirmOrder, input, { id: `confirm-${input.order}` });
  redirect(`/orders?order=${input.order}`);
}

export default function Page() {
  return (
    <form action={order}>
      <input name="order" placeholder="4711" required />
      <input name="email" type="email" placeholder="ada@example.com" required />
      <button type="submit">Order</button>
    </form>
  );
}
