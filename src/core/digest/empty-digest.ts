/** The line about empty digests: they are not mailed, and the next digest with papers says so. */
import { onDays } from './headline.ts'

/** Why most empty digests are empty; a clause without a full stop. */
export const NOTHING_NEW = 'no new papers matched what you follow'

/** "No digest from Saturday 11 to Sunday 12 April: no new papers matched what you follow." */
export const emptyDigestLine = (from: string, to: string, why: string): string =>
  `No digest ${onDays(from, to)}: ${why}.`
