/** Changes of settings by a link of a digest: noted when they are made, and told by the next digest that is owed. */
import { type Kysely, sql } from 'kysely'
import type { ChangedSetting } from '../core/subscriber/change-by-link.ts'
import type { Tables } from './database.ts'

/** Notes that a locked subscriber's settings were changed on a local date (`YYYY-MM-DD`) by a link of a digest. */
export const noteChangeByLink = async (
  db: Kysely<Tables>,
  id: string,
  date: string,
  what: readonly ChangedSetting[],
): Promise<void> => {
  await sql`update subscribers set changed_by_link_on = ${date}::date,
      changed_by_link = array(select distinct unnest(changed_by_link || ${what}::text[]) order by 1)
    where id = ${id}`.execute(db)
}

const CHANGE = sql`jsonb_build_object('on', s.changed_by_link_on, 'what', coalesce(to_jsonb(s.changed_by_link), '[]'))`

/**
 * Has the digests of an edition that some subscribers are owed since this transaction tell of their changes, once: what is
 * told is no longer noted. A digest that is not sent, for it is empty or of another edition, tells nothing.
 */
export const tellInDigests = async (db: Kysely<Tables>, editionId: number, ids: readonly string[]): Promise<void> => {
  await sql`
    with told as (
      update deliveries m set told_change = ${CHANGE} from subscribers s
      where s.id = any(${ids}::uuid[]) and s.changed_by_link_on is not null and m.subscriber_id = s.id
        and m.local_date = s.last_local_date and m.edition_id = ${editionId} and m.state = 'queued'
      returning m.subscriber_id)
    update subscribers s set changed_by_link_on = null, changed_by_link = null from told where s.id = told.subscriber_id`.execute(
    db,
  )
}

/** The same of a welcome, a letter by its id. */
export const tellInWelcome = async (db: Kysely<Tables>, letterId: string): Promise<void> => {
  await sql`
    with told as (
      update letters m set told_change = ${CHANGE} from subscribers s
      where m.id = ${letterId} and s.id = m.subscriber_id and s.changed_by_link_on is not null returning m.subscriber_id)
    update subscribers s set changed_by_link_on = null, changed_by_link = null from told where s.id = told.subscriber_id`.execute(
    db,
  )
}
