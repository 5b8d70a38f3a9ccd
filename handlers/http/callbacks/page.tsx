import { createHash } from 'node:crypto';
import { raw } from 'hono/html';
import type { Child } from 'hono/jsx';

const style = `:root{color-scheme:light dark}body{margin:12vh auto 0;padding:0 1.25rem;max-width:28rem;font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}textarea{box-sizing:border-box;width:100%;font:inherit}button{font:inherit;padding:.5rem 1.25rem;margin:1rem .75rem 0 0}`;

/** The source by which a content security policy admits the style of the pages. */
export const styleHash = `'sha256-${createHash('sha256').update(style).digest('base64')}'`;

/** Asks to approve or to refuse. The form is sent to the address of the page. */
export function CallbackPage({ jobName, step }: { jobName: string; step: string }) {
  return (
    <Frame title={step}>
      <p>
        The job <strong>{jobName}</strong> waits for your answer.
      </p>
      <form method="post">
        <label for="comment">Comment, if you like</label>
        <textarea id="comment" name="comment" rows={4} maxlength={5000} />
        <button type="submit" name="answer" value="approve">
          Approve
        </button>
        <button type="submit" name="answer" value="refuse">
          Refuse
        </button>
      </form>
    </Frame>
  );
}

export function Message({ title, text }: { title: string; text: string }) {
  return (
    <Frame title={title}>
      <p>{text}</p>
    </Frame>
  );
}

function Frame({ title, children }: { title: string; children?: Child }) {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <title>{title}</title>
        <style>{raw(style)}</style>
      </head>
      <body>
        <main>
          <h1>{title}</h1>
          {children}
        </main>
      </body>
    </html>
  );
}
