import type { Command } from './command.js';

/** `hello` and its older names: a primary of a replica set with one member, MongoDB 7.0. Drivers add fields to it. */
export const hello: Command = {
  fields: 'any',
  transactional: false,
  run: ({ server, now, body }) => ({
    helloOk: true,
    [body.hello === undefined ? 'ismaster' : 'isWritablePrimary']: true,
    secondary: false,
    setName: server.setName,
    setVersion: 1,
    electionId: server.electionId,
    hosts: [server.address],
    primary: server.address,
    me: server.address,
    maxBsonObjectSize: 16 * 1024 * 1024,
    maxMessageSizeBytes: 48_000_000,
    maxWriteBatchSize: 100_000,
    localTime: now,
    logicalSessionTimeoutMinutes: 30,
    connectionId: 1,
    minWireVersion: 0,
    maxWireVersion: 21,
    readOnly: false,
  }),
};
