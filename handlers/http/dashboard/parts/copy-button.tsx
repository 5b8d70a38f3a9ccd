type CopyButtonProps = {
  /** Name of what is copied, such as `the stack`. */
  readonly what: string;
} & ({ readonly text: string } | { readonly from: string } | { readonly path: string });

/**
 * A button that copies a text, the content at the address `from`, or the whole address of `path`. The style sheet hides
 * the button where no script runs.
 */
export function CopyButton({ what, ...source }: CopyButtonProps) {
  const data =
    'text' in source
      ? { 'data-copy': source.text }
      : 'from' in source
        ? { 'data-copy-from': source.from }
        : { 'data-copy-path': source.path };
  return (
    <button type="button" class="small copy" {...data} aria-label={`Copy ${what}`}>
      Copy
    </button>
  );
}
