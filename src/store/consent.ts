/** Records of consent: only ever added, read by whom they are about, and deleted when their time is over. */
import { type Kysely, sql } from 'kysely'
import { type ConsentEvent, type ConsentOrigin, LANGUAGE, type Wording } from '../core/subscriber/consent.ts'
import type { Preferences } from '../core/subscriber/preferences.ts'
import type { Tables } from './database.ts'

export interface NewConsent {
  at: Date
  event: ConsentEvent
  subscriberId: string
  /** Of `addressHash`. */
  addressHash: Buffer
  origin: ConsentOrigin
  /** What was shown; left out where nothing was. */
  wording?: Wording | null
  /** What was chosen; left out where nothing was. */
  preferences?: Preferences | null
  /** The confirmation. */
  letterId?: string | null
  /** When it was asked for, of a confirmation. */
  requestedAt?: Date | null
}

export const storeConsent = async (db: Kysely<Tables>, consent: NewConsent): Promise<void> => {
  const { origin, wording = null, preferences = null } = consent
  if (wording !== null)
    await db
      .insertInto('consent_wordings')
      .values({ hash: wording.hash, version: wording.version, wording: wording.text })
      .onConflict((conflict) => conflict.doNothing())
      .execute()
  const { id } = await db
    .insertInto('consent_records')
    .values({
      at: consent.at,
      event: consent.event,
      subscriber_id: consent.subscriberId,
      address_hash: consent.addressHash,
      source: origin.source,
      form: origin.form,
      language: wording === null ? null : LANGUAGE,
      wording: wording?.hash ?? null,
      frequency: preferences?.frequency ?? null,
      letter_id: consent.letterId ?? null,
      requested_at: consent.requestedAt ?? null,
    })
    .returning('id')
    .executeTakeFirstOrThrow()
  if (origin.client === null && preferences === null) return
  await db
    .insertInto('consent_details')
    .values({
      record_id: id,
      client: origin.client,
      preferences: preferences === null ? null : (JSON.stringify(preferences) as never),
    })
    .execute()
}

/** A record of consent with the sentence that was shown. */
export interface ConsentRecord {
  at: Date
  event: ConsentEvent
  subscriber: string
  source: string
  form: string | null
  language: string | null
  /** `null` where no sentence of ours was shown. */
  wording: { version: string; sha256: string; text: string } | null
  frequency: string | null
  /** What was chosen; `null` where nothing was, or it is not kept any more. */
  preferences: Preferences | null
  /** The client's address; `null` where it is not known, or not kept any more. */
  client: string | null
  /** The id of the confirmation, with which its Message-ID begins. */
  confirmation: string | null
  requestedAt: Date | null
}

/** The records of a subscriber and of an address under any of its hashes, the oldest first. */
export const readConsent = async (
  db: Kysely<Tables>,
  of: { subscriberId: string | null; hashes: readonly Buffer[] },
): Promise<ConsentRecord[]> => {
  const { rows } = await sql<ConsentRecord>`
    select r.at, r.event, r.subscriber_id as subscriber, r.source, r.form, r.language,
      case when w.hash is not null
        then json_build_object('version', w.version, 'sha256', encode(w.hash, 'hex'), 'text', w.wording) end as wording,
      r.frequency, d.preferences, host(d.client) as client, r.letter_id as confirmation, r.requested_at as "requestedAt"
    from consent_records r left join consent_wordings w on w.hash = r.wording left join consent_details d on d.record_id = r.id
    where r.subscriber_id = ${of.subscriberId}::uuid or r.address_hash = any(${of.hashes}::bytea[])
    order by r.id`.execute(db)
  return rows
}

/** Deletes what is personal of a subscriber's records. */
export const forgetConsentDetails = async (db: Kysely<Tables>, subscriberId: string): Promise<void> => {
  await sql`delete from consent_details d using consent_records r
    where r.id = d.record_id and r.subscriber_id = ${subscriberId}`.execute(db)
}
