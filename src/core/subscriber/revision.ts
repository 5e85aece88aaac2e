/** Which settings somebody saw when they changed them, so that an old page does not overwrite newer ones. */
import { createHash } from 'node:crypto'
import type { Preferences } from './preferences.ts'

/** Letters, digits, `-` and `_`: the same for equal preferences, whatever the order of their fields. */
export const revisionOf = (preferences: Preferences): string => {
  const fields = Object.entries(preferences).sort(([one], [other]) => (one < other ? -1 : 1))
  return createHash('sha256').update(JSON.stringify(fields)).digest('base64url').slice(0, 16)
}
