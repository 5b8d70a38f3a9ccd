/** Finds something out once for each client and name of a collection; what failed is asked anew. */
export class OncePerName {
  readonly #byClient = new WeakMap<object, Map<string, Promise<void>>>();

  /** Whether it was found out, or is being looked for. */
  wasAsked(client: object, namespace: string): boolean {
    return this.#of(client).has(namespace);
  }

  /** @throws what `look` throws */
  async ask(client: object, namespace: string, look: () => Promise<void>): Promise<void> {
    const asked = this.#of(client);
    const looking = asked.get(namespace) ?? look();
    asked.set(namespace, looking);
    try {
      await looking;
    } catch (error) {
      asked.delete(namespace);
      throw error;
    }
  }

  #of(client: object): Map<string, Promise<void>> {
    const asked = this.#byClient.get(client) ?? new Map<string, Promise<void>>();
    this.#byClient.set(client, asked);
    return asked;
  }
}
