/**
 * Returns the needed collections after connecting the client. Without that, a failed first connection would leave the
 * client closed forever.
 *
 * @throws ForeignDocumentsError if they belong to an application, and the driver's errors
 */
export type Connected<Needed> = () => Promise<Needed>;
