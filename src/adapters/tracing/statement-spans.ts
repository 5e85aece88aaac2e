/** A span for each statement that a traced request, job or mail makes: what kind it is and how it ended, never its text. */
import { type Span, SpanKind, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api'
import { Client } from 'pg'

type Query = (...args: unknown[]) => unknown

/** The first word of a statement, such as `select`; `undefined` for what is no statement of one text, such as a copy. */
const operationOf = (query: unknown): string | undefined => {
  const text = typeof query === 'string' ? query : (query as { text?: unknown } | null)?.text
  return typeof text === 'string' ? /^\s*([a-z]+)/i.exec(text)?.[1]?.toLowerCase() : undefined
}

/** Ends a span; of an error only its code is kept, since its message may hold a value. */
const end = (span: Span, error?: unknown): void => {
  if (error !== undefined && error !== null) {
    const { code } = error as { code?: unknown }
    if (typeof code === 'string') span.setAttribute('db.response.status_code', code)
    span.setStatus({ code: SpanStatusCode.ERROR })
  }
  span.end()
}

/** Traces the statements of all clients of this process, the queue's too; returns what ends that. */
export const traceStatements = (tracer: Tracer): (() => void) => {
  const prototype = Client.prototype as unknown as { query: Query }
  const original = prototype.query
  prototype.query = function (this: unknown, ...args: unknown[]) {
    const operation = operationOf(args[0])
    // What nothing asked for, such as a listening connection, would be a trace by itself.
    if (operation === undefined || trace.getActiveSpan() === undefined) return original.apply(this, args)
    const span = tracer.startSpan(`postgres ${operation}`, {
      kind: SpanKind.CLIENT,
      attributes: { 'db.system.name': 'postgresql', 'db.operation.name': operation },
    })
    const done = args.at(-1)
    if (typeof done === 'function')
      args[args.length - 1] = (error: unknown, ...rest: unknown[]) => {
        end(span, error)
        return done(error, ...rest)
      }
    const result = original.apply(this, args)
    if (result instanceof Promise)
      result.then(
        () => end(span),
        (error) => end(span, error),
      )
    return result
  }
  return () => {
    prototype.query = original
  }
}
