/** The line about empty digests: they are not mailed, and the next digest with papers says so. */
import { longDate } from './headline.ts'

const dayInWords = (date: string): string => longDate(date).replace(/ \d{4}$/, '')

/** "No digests from Saturday, 11 April to Sunday, 12 April: no new papers in your topics." */
export const emptyDigestLine = (from: string, to: string, why: string): string =>
  from === to
    ? `No digest on ${dayInWords(from)}: ${why}.`
    : `No digests from ${dayInWords(from)} to ${dayInWords(to)}: ${why}.`
