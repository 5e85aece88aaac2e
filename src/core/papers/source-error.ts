/** What a source of papers throws when it cannot be relied on this time. */

/**
 * A source failed, or answered what makes no sense: nothing of this reading may be stored. The message is a clause for
 * log and operator, such as "it answered 500", without addresses or texts from outside.
 */
export class SourceTrouble extends Error {
  override name = 'SourceTrouble'
  /** For so many milliseconds the source asked not to be asked again; `null` when it asked nothing of the kind. */
  readonly restFor: number | null

  constructor(message: string, options: { cause?: unknown; restFor?: number | null } = {}) {
    super(message, { cause: options.cause })
    this.restFor = options.restFor ?? null
  }
}
