/** What a source of papers throws when it cannot be relied on this time. */

/**
 * A source failed, or answered what makes no sense: nothing of this reading may be stored. The message is a clause for
 * log and operator, such as "it answered 500", without addresses or texts from outside.
 */
export class SourceError extends Error {
  override name = 'SourceError'
  /** For so many milliseconds the source asked not to be asked again; `null` when it asked nothing of the kind. */
  readonly backOffMs: number | null

  constructor(message: string, options: { cause?: unknown; backOffMs?: number | null } = {}) {
    super(message, { cause: options.cause })
    this.backOffMs = options.backOffMs ?? null
  }
}
