import { type CollectionDescription, expiring, moment, text } from '../mongo/collection-description.js';

/** A document of the collection `marks`: an event at a moment, such as a deployment. */
export interface MarkDocument {
  readonly _id: string;
  readonly at: Date;
  readonly text: string;
  /** Author of the mark, such as the id of an API key. */
  readonly by?: string;
  readonly expireAt: Date;
}

/** Serves the list of marks. */
export const byMoment = { name: 'byMoment', key: { at: 1, _id: 1 } } as const;

export const marksCollection: CollectionDescription = {
  name: 'marks',
  ours: { _id: text, at: moment, text, expireAt: moment },
  // MongoDB deletes old marks.
  indexes: [byMoment, expiring('expiry', 'expireAt', { _id: text, at: moment, text })],
  formerIndexes: [],
};
