/** The id of a delivery: a UUID that begins with the delivery's local date, so that one is found without knowing its month. */
import { type RawBuilder, sql } from 'kysely'
import { addDays } from '../../core/calendar.ts'

const DAY_ZERO = '1970-01-01'
/** Dates from the year 2200 on are no dates of ours; the largest number that fits would be no date at all. */
const MOST_DAYS = 84_000

/**
 * SQL that makes an id: the days from 1970-01-01 to `localDate` (4 octets), and 12 octets of a hash of reader and date. It
 * is the Message-ID, so a digest that is published again for the same reader and date, after a restore from a backup, has
 * the one that may have arrived already.
 */
export const newDeliveryId = (subscriberId: RawBuilder<unknown>, localDate: RawBuilder<unknown>): RawBuilder<string> =>
  sql`(lpad(to_hex(${localDate} - ${DAY_ZERO}::date), 8, '0')
    || left(encode(sha256(uuid_send(${subscriberId}) || date_send(${localDate})), 'hex'), 24))::uuid`

/** The local date (`YYYY-MM-DD`) that a delivery's id begins with; `null` for a UUID that is no delivery's. */
export const localDateOfDelivery = (id: string): string | null => {
  const days = Number.parseInt(id.slice(0, 8), 16)
  return days < MOST_DAYS ? addDays(DAY_ZERO, days) : null
}
