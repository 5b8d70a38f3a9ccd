import { jsonText } from './parts/json-text.js';
import { apiPath } from './paths.js';

type Schema = Readonly<Record<string, unknown>>;

/** An operation, as the OpenAPI document tells it. */
export interface ApiOperation {
  readonly operationId: string;
  readonly method: string;
  readonly path: string;
  readonly summary: string;
  readonly description: string;
  readonly tags: readonly string[];
  /** Whether it needs no key. */
  readonly isOpen: boolean;
  readonly parameters: readonly {
    readonly name: string;
    readonly in: string;
    readonly required: boolean;
    readonly description: string;
    readonly schema: Schema;
  }[];
  readonly body: { readonly schema: Schema; readonly example?: unknown } | undefined;
  readonly responses: Readonly<
    Record<
      string,
      {
        readonly description: string;
        readonly content?:
          | { readonly 'application/json'?: { readonly example?: unknown } | undefined }
          | undefined;
      }
    >
  >;
}

interface ApiPageProps {
  /** The operations that match the text. */
  readonly operations: readonly ApiOperation[];
  readonly text: string;
  /** The address of this server. */
  readonly origin: string;
}

/** The reference of the HTTP API: each operation unfolds, with a command to try it. */
export function ApiPage({ operations, text, origin }: ApiPageProps) {
  const tags = [...new Set(operations.flatMap(({ tags }) => tags))];
  return (
    <>
      <h1>API</h1>
      <p class="quiet">
        Made from the OpenAPI document at <code>/v1/openapi.json</code>. Commands use <code>$API_KEY</code>,
        an API key, and <code>$URL</code>, here <code>{origin}</code>.
      </p>
      <form class="filter" method="get" action={apiPath} data-filter aria-label="Filter">
        <div class="field">
          <label for="text">Search</label>
          <input id="text" name="text" type="search" value={text} spellcheck={false} />
        </div>
        <noscript>
          <button type="submit">Search</button>
        </noscript>
      </form>
      {/* The list does not change by itself. */}
      <div id="operations" class="stack" data-live data-still>
        {operations.length === 0 && <p class="empty">No operation matches.</p>}
        {tags.map((tag) => (
          <section class="card" aria-labelledby={`tag-${tag}`}>
            <h2 id={`tag-${tag}`}>{tag}</h2>
            {operations
              .filter(({ tags }) => tags.includes(tag))
              .map((operation) => (
                <Operation operation={operation} />
              ))}
          </section>
        ))}
      </div>
    </>
  );
}

function Operation({ operation }: { operation: ApiOperation }) {
  const { operationId, method, path, summary, description, parameters, body } = operation;
  return (
    <details class="operation" id={operationId}>
      <summary>
        <code>
          <strong>{method}</strong> {path}
        </code>{' '}
        <span class="quiet">{summary}</span>
      </summary>
      {description !== '' && <p>{description}</p>}
      {parameters.length > 0 && (
        <dl class="facts">
          {parameters.map(({ name, in: place, required, description, schema }) => (
            <>
              <dt>
                <code>{name}</code>
              </dt>
              <dd>
                <span class="quiet">
                  {place}, {typeText(schema)}
                  {required ? '' : ', optional'}
                </span>
                {description !== '' && <div>{description}</div>}
              </dd>
            </>
          ))}
        </dl>
      )}
      <pre class="code">{curlOf(operation)}</pre>
      {body && (
        <details id={`${operationId}-schema`}>
          <summary>JSON Schema of the body</summary>
          <pre class="code">{jsonText(body.schema)}</pre>
        </details>
      )}
      <Answers operation={operation} />
    </details>
  );
}

/** Shows the answer of success with its example, and lists the other answers by status. */
function Answers({ operation: { responses } }: { operation: ApiOperation }) {
  const entries = Object.entries(responses);
  const problems = entries.filter(([status]) => Number(status) >= 400).map(([status]) => status);
  return (
    <>
      {entries
        .filter(([status]) => Number(status) < 400)
        .map(([status, { description, content }]) => {
          const example = content?.['application/json']?.example;
          return (
            <>
              <p>
                <strong>{status}</strong> {description}
              </p>
              {example !== undefined && <pre class="code">{jsonText(example)}</pre>}
            </>
          );
        })}
      {problems.length > 0 && <p class="quiet">Or a problem document: {problems.join(', ')}.</p>}
    </>
  );
}

/** Returns a type in a few words, such as `integer 1 to 1000` or `one of error, cancelled`. */
function typeText({ type, enum: values, anyOf, minimum, maximum, ...rest }: Schema): string {
  if (Array.isArray(values)) return `one of ${values.join(', ')}`;
  const bounds =
    typeof minimum === 'number' && typeof maximum === 'number' ? ` ${minimum} to ${maximum}` : '';
  if (typeof type === 'string') return `${type === 'array' ? 'may be repeated' : type}${bounds}`;
  const { $ref } = rest;
  return typeof $ref === 'string'
    ? ($ref.split('/').at(-1) ?? 'any')
    : anyOf
      ? 'one of several types'
      : 'any';
}

/** Returns a command that sends the request with its example. */
function curlOf({ method, path, isOpen, body }: ApiOperation): string {
  const address = `"$URL${path.replaceAll(/\{(\w+)\}/g, (_, name: string) => name.toUpperCase())}"`;
  const lines = [
    `curl ${method === 'GET' ? '' : `-X ${method} `}${address}`,
    ...(isOpen ? [] : ['-H "Authorization: Bearer $API_KEY"']),
    ...(body
      ? ["-H 'Content-Type: application/json'", `-d ${quoted(JSON.stringify(body.example ?? {}))}`]
      : []),
  ];
  return lines.join(' \\\n  ');
}

/** Quotes a text for a shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
