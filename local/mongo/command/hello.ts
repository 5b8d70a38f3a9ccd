import type { Doc } from '../bson/decode.js';
import type { Command } from './command.js';

/**
 * `hello` describes the server as MongoDB 7.0, the primary of a replica set with one member. The command also has older
 * names. Drivers send it with further fields.
 *
 * The `topologyVersion` makes a driver give up a monitoring connection when a command finds the server gone. Without
 * the version, a polling driver may write to a connection that is just being closed, and wait forever.
 */
export const hello: Command = {
  fields: 'any',
  transactional: false,
  run: async ({ server, body, now }) => {
    if (isAwaitable(body))
      await server.topology.changeSince(body.topologyVersion, Number(body.maxAwaitTimeMS));
    return {
      helloOk: true,
      [body.hello === undefined ? 'ismaster' : 'isWritablePrimary']: true,
      topologyVersion: server.topology.version,
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
    };
  },
};

/** Returns whether the reply waits for a change of the topology, up to `maxAwaitTimeMS`. */
export function isAwaitable({ topologyVersion, maxAwaitTimeMS }: Doc): boolean {
  return topologyVersion !== undefined && Number(maxAwaitTimeMS) > 0;
}
