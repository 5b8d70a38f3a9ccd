/** Names under which older code stored the step. */
export interface NamedBefore {
  readonly was?: string | readonly string[];
}
