/**
 * The collections that somebody needs, once the client is connected: what is done through them alone might find it closed
 * for ever.
 *
 * @throws ForeignDocumentsError when they are an application's, and what the driver throws
 */
export type Connected<Needed> = () => Promise<Needed>;
