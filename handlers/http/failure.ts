import type { ErrorHandler } from 'hono';
import { isKind } from '../../src/brand.js';
import {
  ConflictError,
  ForbiddenError,
  ForeignDocumentsError,
  IndexMissingError,
  type Logger,
  NotFoundError,
  ReadTimeoutError,
  UnknownJobNameError,
} from '../../src/index.js';
import { isUnreachable } from '../../src/mongo/unreachable.js';
import { Problem } from './problem.js';
import { shownPath } from './shown-path.js';

/**
 * Answers every error of a route with a problem document. An unexpected error becomes a 500 without details, which are
 * only logged.
 */
export function answerFailure(log: Logger): ErrorHandler {
  return (error, { req }) => {
    const problem = toProblem(error);
    if (problem.status >= 500) {
      const { stack, cause } = error;
      log.error(problem.message, {
        method: req.method,
        path: shownPath(req.path),
        error: stack,
        ...(cause !== undefined && { cause: String(cause) }),
      });
    }
    return problem.toResponse();
  };
}

/** Returns the problem document's content for an error. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (isKind(error, NotFoundError)) return new Problem('not_found', { detail: error.message });
  if (isKind(error, ConflictError)) return new Problem('conflict', { detail: error.message });
  if (isKind(error, ForbiddenError)) return new Problem('forbidden', { detail: error.message });
  if (isKind(error, UnknownJobNameError)) {
    const issues = [{ path: 'name', message: error.message }];
    return new Problem('unknown_job_name', { detail: error.message, issues });
  }
  if (isKind(error, IndexMissingError)) return new Problem('index_missing', { detail: error.message });
  if (isKind(error, ForeignDocumentsError)) return new Problem('foreign_documents', { detail: notOurs });
  if (isKind(error, ReadTimeoutError))
    return new Problem('read_timeout', { detail: error.message, headers: retryLater });
  if (isUnreachable(error)) {
    return new Problem('database_unreachable', {
      detail: 'The database did not answer in time. Try again later.',
      headers: retryLater,
    });
  }
  return new Problem('internal_error', {
    detail: 'The request could not be served. The reason is in the log.',
  });
}

/** The detail for documents that another program stored. The documents are named only in the log. */
const notOurs =
  'The collections hold documents that are not of Remote Processor: nothing was done. Take another prefix (COLLECTION_PREFIX), or another database; remote-processor doctor shows which they are.';

const retryLater = { 'retry-after': '5' };
