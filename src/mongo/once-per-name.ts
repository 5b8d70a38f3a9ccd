/** Looks something up once for each client and collection name. After a failure, looks it up again. */
export class OncePerName {
  readonly #byClient = new WeakMap<object, Map<string, Promise<void>>>();

  /** Returns whether the result is known or under way. */
  wasAsked(client: object, namespace: string): boolean {
    return this.#of(client).has(namespace);
  }

  /** Calls `look`, unless the result is known or under way. @throws errors of `look` */
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
