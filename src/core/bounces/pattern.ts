/** Regular expressions that are put together from lists, so that each phrase stands on a line of its own. */

/** A part of a regular expression: a literal, or the source of one. */
type Part = RegExp | string

const sourceOf = (part: Part): string => (typeof part === 'string' ? part : part.source)

/** The source of a group that matches where any of the phrases does; they are tried in their order. */
export const oneOf = (...phrases: Part[]): string => `(?:${phrases.map(sourceOf).join('|')})`

/** The source of what matches where all of the parts do, each right after the one before. */
export const inTurn = (...parts: Part[]): string => parts.map(sourceOf).join('')

/** A regular expression that matches where any of the phrases does. */
export const patternOf = (phrases: readonly Part[], flags = ''): RegExp =>
  new RegExp(phrases.map(sourceOf).join('|'), flags)
