import { Binary, Long } from 'bson';
import { MingoError } from 'mingo/util';
import type { Doc } from './bson/decode.js';
import { isDoc } from './bson/type-of.js';
import { checkApiVersion } from './command/api-version.js';
import type { Command, CommandContext } from './command/command.js';
import { commands } from './command/commands.js';
import { checkReadConcern, writeConcernError } from './command/concerns.js';
import { checkCommand } from './command/fields.js';
import { type Clock, ServerInfo } from './command/server-info.js';
import { sessionKey } from './command/sessions.js';
import { abort, continuedTransaction } from './command/transactions.js';
import { Cursors } from './cursors.js';
import { CommandError } from './errors.js';
import { ConnectionCut, FailPoint } from './fail-point.js';
import { Session } from './session.js';
import { Catalog } from './storage/catalog.js';
import { Transaction } from './storage/transaction.js';
import { type TopologyVersion, tellsOfChange } from './topology.js';
import { removeExpired } from './ttl.js';

const WRITES = new Set(['insert', 'update', 'delete', 'findAndModify', 'findandmodify']);
/** MongoDB's `transactionLifetimeLimitSeconds`. */
const TRANSACTION_LIFETIME_MS = 60_000;

/** Runs commands: finds the state that each one needs, and turns errors into replies. */
export class Dispatcher {
  readonly server: ServerInfo;
  readonly #catalog = new Catalog();
  readonly #cursors = new Cursors();
  readonly #failPoint = new FailPoint();
  readonly #sessions = new Map<string, Session>();

  constructor(clock: Clock) {
    this.server = new ServerInfo(clock);
  }

  /** Removes the documents that TTL indexes declare expired, and returns their number. */
  removeExpired(): number {
    return removeExpired(this.#catalog, (database) => this.server.clock(database));
  }

  /** Aborts open transactions, and answers clients that wait. */
  close(): void {
    this.server.topology.change();
    for (const { transaction } of this.#sessions.values()) if (transaction) abort(transaction);
  }

  /** Returns the reply to a command, even if the command failed. @throws ConnectionCut if the connection must be closed */
  async run(body: Doc): Promise<Doc> {
    try {
      return this.#stamp({ ...(await this.#dispatch(body)), ok: 1 });
    } catch (error) {
      if (error instanceof ConnectionCut) throw error;
      return this.refuse(error);
    }
  }

  /** Returns the reply that reports an error. */
  refuse(error: unknown): Doc {
    return this.#stamp(errorReply(error));
  }

  async #dispatch(body: Doc): Promise<Doc> {
    const [name = ''] = Object.keys(body);
    const command = commands.get(name);
    if (command === undefined) throw new CommandError(59, `no such command: '${name}'`);
    if (command.fields !== 'any') checkCommand(name, body, command.fields);
    checkApiVersion(name, body);
    checkReadConcern(name, body);
    if (body.lsid === undefined) return this.#execute(name, command, body, undefined, undefined);
    const id = sessionKey(body.lsid);
    const session = this.#sessions.get(id) ?? new Session();
    this.#sessions.set(id, session);
    if (body.txnNumber === undefined) return this.#execute(name, command, body, session, id);
    return session.inTurn(() => this.#execute(name, command, body, session, id));
  }

  async #execute(
    name: string,
    command: Command,
    body: Doc,
    session: Session | undefined,
    sessionId: string | undefined,
  ): Promise<Doc> {
    const added = await this.#failPoint.strike(name, body);
    const transaction = session && this.#transactionFor(name, command, body, session);
    const retryable = session !== undefined && body.txnNumber !== undefined && body.autocommit === undefined;
    if (retryable) this.#beginRetryable(name, body, session);
    const database = String(body.$db);
    const context: CommandContext = {
      body,
      database,
      catalog: this.#catalog,
      cursors: this.#cursors,
      sessions: this.#sessions,
      server: this.server,
      failPoint: this.#failPoint,
      now: new Date(this.server.clock(database)),
      sessionId,
      session,
      transaction,
      retryable,
    };
    try {
      const reply = await command.run(context);
      if (transaction && reply.writeErrors !== undefined && session?.transaction) abort(session.transaction);
      return { ...reply, ...writeConcernError(body), ...added };
    } catch (error) {
      if (transaction && session?.transaction && abortsTransaction(name)) abort(session.transaction);
      throw error;
    }
  }

  #beginRetryable(name: string, body: Doc, session: Session): void {
    if (!WRITES.has(name)) throw new CommandError(50768, `${name} can not be run with a transaction number`);
    session.begin(numberOf(body.txnNumber));
  }

  /** Returns the transaction that a command begins or continues. */
  #transactionFor(name: string, command: Command, body: Doc, session: Session): Transaction | undefined {
    if (body.autocommit === undefined) {
      if (body.startTransaction !== undefined)
        throw new CommandError(72, "'startTransaction' requires 'autocommit'");
      return undefined;
    }
    if (body.autocommit !== false || body.txnNumber === undefined) {
      throw new CommandError(72, 'a transaction needs autocommit=false and a transaction number');
    }
    const number = numberOf(body.txnNumber);
    if (!command.transactional) {
      throw new CommandError(263, `Cannot run '${name}' in a multi-document transaction.`);
    }
    if (name === 'commitTransaction' || name === 'abortTransaction') return undefined;
    if (body.startTransaction !== true) return continuedTransaction(session, number).work;
    return this.#begin(session, number);
  }

  #begin(session: Session, number: bigint): Transaction {
    if (number === session.number)
      throw new CommandError(
        50911,
        `Cannot start a transaction at given transaction number ${number} a transaction with the same number is in state [in progress]`,
      );
    session.begin(number);
    if (session.transaction) abort(session.transaction);
    const work = new Transaction(this.#catalog);
    const expiry = setTimeout(() => {
      if (session.transaction?.work === work) abort(session.transaction);
    }, TRANSACTION_LIFETIME_MS);
    expiry.unref();
    session.transaction = { number, state: 'open', work, expiry };
    return work;
  }

  #stamp(reply: Doc): Doc {
    const time = this.server.nextTimestamp();
    return {
      ...reply,
      ...this.#changedTopology(reply),
      $clusterTime: {
        clusterTime: time,
        signature: { hash: new Binary(Buffer.alloc(20)), keyId: Long.ZERO },
      },
      operationTime: time,
    };
  }

  /** Returns the topology version after a step-down, if the reply reports a step-down. */
  #changedTopology({ code, writeConcernError }: Doc): { topologyVersion?: TopologyVersion } {
    if (!tellsOfChange(isDoc(writeConcernError) ? writeConcernError.code : code)) return {};
    return { topologyVersion: this.server.topology.stepDownAndUp() };
  }
}

function numberOf(value: unknown): bigint {
  return BigInt(String(value));
}

/** Returns whether an error of this command ends its transaction. A failed getMore or killCursors leaves it open. */
function abortsTransaction(name: string): boolean {
  return name !== 'getMore' && name !== 'killCursors';
}

function errorReply(error: unknown): Doc {
  const known = error instanceof CommandError ? error : asCommandError(error);
  return {
    ok: 0,
    errmsg: known.message,
    code: known.code,
    codeName: known.codeName,
    ...(known.labels.length > 0 && { errorLabels: [...known.labels] }),
    ...known.details,
  };
}

/** Turns an error of mingo into MongoDB's error for an expression. Any other error is a fault of this server. */
function asCommandError(error: unknown): CommandError {
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof MingoError)) return new CommandError(1, message);
  return new CommandError(message.startsWith('Use of undefined variable') ? 17276 : 2, message);
}
