/** The error of a source of papers that cannot be used this time. */

/**
 * A source failed, or its response cannot be read: nothing of this reading may be stored. The message is a clause for
 * log and operator, such as "it answered 500", without addresses or texts from outside.
 */
export class SourceError extends Error {
  override name = 'SourceError'
  /** Milliseconds for which the source asked for no request; `null` where it did not. */
  readonly backOffMs: number | null

  constructor(message: string, options: { cause?: unknown; backOffMs?: number | null } = {}) {
    super(message, { cause: options.cause })
    this.backOffMs = options.backOffMs ?? null
  }
}
