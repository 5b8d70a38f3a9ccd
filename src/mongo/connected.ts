/**
 * Connects the client, and returns the needed collections. Otherwise a failed first connection would leave the client closed
 * forever.
 *
 * @throws ForeignDocumentsError if they belong to an application, and the driver's errors
 */
export type Connected<Needed> = () => Promise<Needed>;
