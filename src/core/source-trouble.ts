/** What a source of papers throws when it cannot be relied on this time. */

/**
 * A source failed, or answered what makes no sense: nothing of this reading may be stored. The message is a clause for
 * log and operator, such as "it answered 500", without addresses or texts from outside.
 */
export class SourceTrouble extends Error {
  override name = 'SourceTrouble'
  /** Before this the source asked not to be asked again; `null` when it said nothing. */
  readonly retryAt: Date | null

  constructor(message: string, options: { cause?: unknown; retryAt?: Date | null } = {}) {
    super(message, { cause: options.cause })
    this.retryAt = options.retryAt ?? null
  }
}
