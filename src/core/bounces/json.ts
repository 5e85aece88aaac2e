/** Reads values out of JSON from outside, of which nothing is known. */

/** Whether a value is an object and no array. */
export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A value as an object; an empty one where it is none. */
export const asRecord = (value: unknown): Record<string, unknown> => (isRecord(value) ? value : {})

/** A string that is not empty, or a number in digits; `null` for anything else. */
export const asText = (value: unknown): string | null =>
  typeof value === 'string' && value !== '' ? value : typeof value === 'number' ? String(value) : null

/** An instant of a date string or of Unix seconds; `null` for anything else. */
export const asInstant = (value: unknown): Date | null => {
  const instant = new Date(typeof value === 'number' ? value * 1000 : typeof value === 'string' ? value : Number.NaN)
  return Number.isNaN(instant.getTime()) ? null : instant
}

/** The value of JSON; `undefined` where the text is none. */
export const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    // The caller refuses what is not JSON.
    return undefined
  }
}
