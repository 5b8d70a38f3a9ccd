/**
 * Returns the needed collections once the client is connected. Used directly, they might find the client closed forever.
 *
 * @throws ForeignDocumentsError if they belong to an application, and the driver's errors
 */
export type Connected<Needed> = () => Promise<Needed>;
