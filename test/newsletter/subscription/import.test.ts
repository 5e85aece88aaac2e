/** Bringing a list along: who becomes a subscriber, who stays as they are, and what goes on after a kill. */
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { LittleSpace } from '../../../src/core/disk-space.ts'
import { addressHashes } from '../../../src/core/subscriber/address-hash.ts'
import { statedConsent } from '../../../src/core/subscriber/consent.ts'
import { readHeader } from '../../../src/core/subscriber/list-columns.ts'
import { createRowReader } from '../../../src/core/subscriber/list-row.ts'
import { STANDARD } from '../../../src/core/subscriber/preferences.ts'
import { deriveToken, type Keys } from '../../../src/core/token.ts'
import { createCandidateCache } from '../../../src/newsletter/publishing/candidate-cache.ts'
import {
  type ImportOptions,
  importSubscribers,
  type ListRow,
  type RefusedRow,
} from '../../../src/newsletter/subscription/import.ts'
import { findLegacyLink } from '../../../src/newsletter/subscription/legacy-link.ts'
import { exportPersonalData } from '../../../src/newsletter/subscription/personal-data.ts'
import { createSubscriptions } from '../../../src/newsletter/subscription/subscription.ts'
import type { Database } from '../../../src/store/database.ts'
import { suppressAddress } from '../../../src/store/suppressions.ts'
import {
  eraseFrom,
  KEYS,
  LONDON_DAILY,
  openNewsletter,
  storeDay,
  subscribe,
  wakeNobody,
} from '../../support/fixtures/newsletter.ts'
import { thorough } from '../../support/thoroughness.ts'

const AT = new Date('2026-04-15T12:00:00Z')
const CONSENT = 'form on lab.example.org, 2019 to 2026'
const statement = statedConsent(CONSENT) as NonNullable<ReturnType<typeof statedConsent>>
const KEY = Buffer.alloc(32, 1)

/** A report in memory, with the octets that a kill leaves. */
const createReport = () => {
  let rows: { row: RefusedRow; end: number }[] = []
  return {
    rows: () => rows.map(({ row }) => row),
    begin: async () => undefined,
    resume: async (octets: number) => {
      rows = rows.filter(({ end }) => end <= octets)
    },
    write: async (refused: readonly RefusedRow[]) => {
      for (const row of refused) rows.push({ row, end: rows.length + 1 })
      return rows.length
    },
  }
}

const COLUMNS = readHeader(['email', 'topics', 'frequency', 'legacy_token'])
type Cells = [email: string, topics?: string, frequency?: string, token?: string]

/** The rows of a file in pieces of a size; `killAt`: reading fails behind so many rows. */
const listOf = async function* (rows: readonly Cells[], piece = 700, killAt = Number.POSITIVE_INFINITY) {
  for (let n = 0; n < rows.length; n += piece) {
    if (n >= killAt) throw new Error('killed')
    const some = rows.slice(n, n + piece)
    const cells = ([email, topics = '', frequency = '', token = '']: Cells) => [email, topics, frequency, token]
    yield { rows: some.map((row, i): ListRow => ({ line: n + i + 2, cells: cells(row) })), octetsRead: n }
  }
}

const importRows = (
  db: Database,
  rows: readonly Cells[],
  {
    keys = KEYS as Keys,
    piece = 700,
    killAt = Number.POSITIVE_INFINITY,
    requireSpace = async () => undefined,
    ...options
  }: Partial<ImportOptions> & {
    requireSpace?: () => Promise<undefined>
    keys?: Keys
    piece?: number
    killAt?: number
  } = {},
) => {
  const given = { key: null, statement, readRow: createRowReader(COLUMNS), report: createReport(), ...options }
  return importSubscribers({ db, keys, now: () => AT, requireSpace }, listOf(rows, piece, killAt), given)
}

const readAll = async (db: Database) => {
  const { rows } = await sql<{ row: string }>`
    select to_jsonb(s) - 'id' as row from subscribers s order by email`.execute(db)
  return rows.map(({ row }) => row)
}

const countOf = async (
  db: Database,
  table: 'subscribers' | 'consent_records' | 'legacy_links' | 'letters' | 'subscriber_imports',
) => Number((await sql<{ n: number }>`select count(*)::int as n from ${sql.table(table)}`.execute(db)).rows[0]?.n)

describe('who is new', () => {
  test('is active with their choices, due at their next regular time, and on record with what the operator stated', async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    const imported = await importRows(db, [['Ada@Example.org', 'robotics', 'weekly'], ['grace@example.org']])
    expect(imported).toMatchObject({ rows: 2, imported: 2, refused: 0, kept: {}, links: 0, welcomes: 0 })
    const { subscriber, consent } =
      (await exportPersonalData({ db, keys: KEYS, now: () => AT }, { email: 'ada@example.org' })) ?? {}
    expect(subscriber).toMatchObject({
      email: 'Ada@example.org',
      state: 'active',
      preferences: { ...STANDARD, topics: ['robotics'], frequency: 'weekly' },
      requestedAt: AT,
      confirmedAt: AT,
      nextDigestAt: new Date('2026-04-18T07:00:00Z'),
    })
    expect(consent).toEqual([
      {
        at: AT,
        event: 'confirmed',
        subscriber: subscriber?.id,
        source: 'import',
        form: null,
        language: null,
        wording: { version: 'stated', sha256: statement.hash.toString('hex'), text: CONSENT },
        frequency: 'weekly',
        preferences: null,
        client: null,
        confirmation: null,
        requestedAt: null,
      },
    ])
    // Nothing is sent to them for it.
    expect(await countOf(db, 'letters')).toBe(0)
  })

  test('with a welcome has the digest that somebody who confirms now has, and their first one a day later', async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    for (const day of ['2026-04-13', '2026-04-14']) await storeDay(db, day)
    const london = { ...LONDON_DAILY, topics: ['robotics'] }
    const confirmed = await subscribe(db, 'confirmed@example.org', london, AT)
    const rows: Cells[] = [
      ['ada@example.org', 'robotics'],
      ['grace@example.org', 'robotics'],
      ['confirmed@example.org', 'robotics'],
    ]
    const readRow = createRowReader(COLUMNS, new Map([['timezone', 'Europe/London']]))
    const welcomes = createCandidateCache({ db, now: () => AT })
    expect(await importRows(db, rows, { readRow, welcomes })).toMatchObject({
      imported: 2,
      welcomes: 2,
      kept: { active: 1 },
    })
    const letters = await db
      .selectFrom('letters')
      .innerJoin('subscribers', 'subscribers.id', 'letters.subscriber_id')
      .select(['email', 'letters.digest_id', 'last_digest_id', 'last_due_at', 'next_due_at'])
      .where('kind', '=', 'welcome')
      .orderBy('email')
      .execute()
    const own = letters.find(({ email }) => email === 'confirmed@example.org')
    expect(confirmed).toBeTruthy()
    expect(letters.map(({ email, digest_id, last_digest_id }) => [email, digest_id, last_digest_id])).toEqual(
      ['ada', 'confirmed', 'grace'].map((name) => [`${name}@example.org`, own?.digest_id, own?.digest_id]),
    )
    // Twenty hours after the welcome it is past seven of the next day.
    for (const { next_due_at } of letters) expect(next_due_at).toEqual(new Date('2026-04-17T06:00:00Z'))
  })

  test('welcomes go one after the other, so that a confirmation does not wait for them', async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    await storeDay(db, '2026-04-14')
    const rows = Array.from({ length: 100 }, (_, n): Cells => [`reader${n}@example.org`, 'robotics'])
    await importRows(db, rows, { welcomes: createCandidateCache({ db, now: () => AT }) })
    const { rows: spread } = await sql<{ seconds: number; n: number }>`
      select extract(epoch from max(next_attempt_at) - min(next_attempt_at))::float8 as seconds,
        count(distinct next_attempt_at)::int as n from letters`.execute(db)
    expect(spread).toEqual([{ seconds: 4.95, n: 100 }])
  })

  test('begins on one of so many days, the same share on each, and always on the same', async () => {
    const dueDates = async () => {
      await using newsletter = await openNewsletter()
      const { db } = newsletter
      const rows = Array.from({ length: 1_000 }, (_, n): Cells => [`reader${n}@example.org`])
      await importRows(db, rows, { overDays: 5 })
      return (await db.selectFrom('subscribers').select(['email', 'next_due_at']).orderBy('email').execute()).map(
        ({ email, next_due_at }) => [email, next_due_at?.toISOString()],
      )
    }
    const due = await dueDates()
    const days = Object.values(Object.groupBy(due, ([, at]) => at ?? '')).map((some) => some?.length ?? 0)
    expect(days).toHaveLength(5)
    expect(Math.min(...days)).toBeGreaterThan(150)
    expect(await dueDates()).toEqual(due)
  })
})

describe('who is known', () => {
  test('stays as they are, whatever their state, and is counted by it', async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    const subscriptions = createSubscriptions({ db, keys: KEYS, now: () => AT, wake: wakeNobody })
    const known = new Map<string, string>()
    for (const name of ['active', 'paused', 'unsubscribed', 'suppressed', 'erased'])
      known.set(name, await subscribe(db, `${name}@example.org`, LONDON_DAILY, new Date('2026-04-01T06:00:00Z')))
    await subscriptions.pause(deriveToken(KEYS, 'preferences', known.get('paused') ?? ''), '2026-06-01')
    await subscriptions.unsubscribe(deriveToken(KEYS, 'unsubscribe', known.get('unsubscribed') ?? ''))
    const why = { class: 'hard', reason: 'no such mailbox', code: null, diagnostic: null, source: 'mail' } as const
    for (const email of ['suppressed@example.org', 'stranger@example.org']) await suppressAddress(db, email, why)
    await eraseFrom(db, known.get('erased') ?? '')
    await db
      .insertInto('subscribers')
      .values({
        email: 'pending@example.org',
        state: 'pending',
        topics: ['code'],
        frequency: 'daily',
        hour: 7,
        weekday: 6,
        time_zone: 'UTC',
        requested_at: AT,
      })
      .execute()
    const before = await readAll(db)
    const names = ['active', 'Paused', 'unsubscribed', 'SUPPRESSED', 'erased', 'stranger', 'pending']
    const dryRun = await importRows(
      db,
      names.map((name): Cells => [`${name}@example.org`, 'robotics']),
      { dryRun: true },
    )
    const imported = await importRows(
      db,
      names.map((name): Cells => [`${name}@example.org`, 'robotics']),
    )
    expect(imported).toMatchObject({
      imported: 0,
      kept: { active: 1, paused: 1, unsubscribed: 1, suppressed: 2, erased: 1, pending: 1 },
    })
    expect(dryRun).toEqual(imported)
    expect(await readAll(db)).toEqual(before)
    expect(addressHashes(KEYS, 'erased@example.org')).toHaveLength(1)
    // Neither is anybody on record as having agreed once more.
    expect(
      Number(
        (await sql<{ n: number }>`select count(*)::int as n from consent_records where source = 'import'`.execute(db))
          .rows[0]?.n,
      ),
    ).toBe(0)
  })

  test('an erased address is known under a former key, too', async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    const id = await subscribe(db, 'ada@example.org', LONDON_DAILY, AT)
    await eraseFrom(db, id)
    const keys: Keys = [Buffer.alloc(32, 9), ...KEYS]
    expect(await importRows(db, [['ada@example.org']], { keys })).toMatchObject({ imported: 0, kept: { erased: 1 } })
  })

  test('an address that a list has twice is imported once, near and far, in any letter case, also when it is only tried', async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    const far = Array.from({ length: 5_000 }, (_, n): Cells => [`reader${n}@example.org`])
    const rows: Cells[] = [['ada@example.org'], ['ADA@example.org'], ...far, ['Ada@Example.Org']]
    const tried = await importRows(db, rows, { dryRun: true })
    expect(await countOf(db, 'subscribers')).toBe(0)
    expect(await importRows(db, rows)).toEqual(tried)
    expect(tried).toMatchObject({ rows: 5_003, imported: 5_001, kept: { active: 2 } })
  })
})

describe('refused rows', () => {
  test('are in the report in the order of the file, and the others are imported', async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    const report = createReport()
    const rows: Cells[] = [['nobody'], ['ada@example.org'], ['grace@example.org', 'cooking', 'monthly'], ['']]
    const imported = await importRows(db, rows, { report })
    expect(imported).toMatchObject({ rows: 4, imported: 1, refused: 3 })
    expect(report.rows().map(({ line, errors }) => [line, errors.map(({ field }) => field)])).toEqual([
      [2, ['email']],
      [4, ['topics', 'frequency']],
      [5, ['email']],
    ])
    expect(imported.named).toEqual(report.rows())
  })
})

describe('links of the former system', () => {
  const TOKEN = 'old-system-token-1'

  test('unsubscribe who had them, and nobody else, and are stored as hashes alone', async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    const ports = { db, keys: KEYS, now: () => AT }
    await importRows(db, [
      ['ada@example.org', '', '', TOKEN],
      ['grace@example.org', '', '', 'old-system-token-2'],
    ])
    const { rows } = await sql<{ row: string }>`select t::text as row from legacy_links t`.execute(db)
    expect(rows).toHaveLength(2)
    for (const { row } of rows) {
      expect(row).not.toContain(TOKEN)
      expect(row).not.toContain(Buffer.from(TOKEN).toString('hex'))
    }
    const subscriptions = createSubscriptions({ ...ports, wake: wakeNobody })
    const own = await findLegacyLink(ports, TOKEN)
    expect(
      await subscriptions.unsubscribe(own ?? '', { ip: '192.0.2.1', form: '/legacy/:token', source: 'link' }),
    ).toBe('unsubscribed')
    const states = await db.selectFrom('subscribers').select(['email', 'state']).orderBy('email').execute()
    expect(states.map(({ state }) => state)).toEqual(['unsubscribed', 'active'])
    for (const other of [
      'old-system-token-3',
      TOKEN.toUpperCase(),
      `${TOKEN}0`,
      '',
      deriveToken(KEYS, 'unsubscribe', '00000000-0000-4000-8000-000000000000'),
    ])
      expect(await findLegacyLink(ports, other)).toBeNull()
  })

  test('work after the secret key has changed, and a second import under the new one stores none twice', async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    const rows: Cells[] = [['ada@example.org', '', '', TOKEN]]
    await importRows(db, rows)
    const keys: Keys = [Buffer.alloc(32, 9), ...KEYS]
    expect(await findLegacyLink({ db, keys }, TOKEN)).not.toBeNull()
    expect(await importRows(db, rows, { keys })).toMatchObject({ kept: { active: 1 }, links: 0, refused: 0 })
    expect(await findLegacyLink({ db, keys: [Buffer.alloc(32, 9)] }, TOKEN)).toBeNull()
  })

  test('are added to those who are subscribed or have left, when a list is imported again with them', async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    await importRows(db, [['ada@example.org'], ['grace@example.org']])
    await db
      .updateTable('subscribers')
      .set({ state: 'unsubscribed', next_due_at: null })
      .where('email', '=', 'grace@example.org')
      .execute()
    const again = await importRows(db, [
      ['ada@example.org', '', '', TOKEN],
      ['grace@example.org', '', '', 'old-system-token-2'],
    ])
    expect(again).toMatchObject({ imported: 0, kept: { active: 1, unsubscribed: 1 }, links: 2 })
    expect(await findLegacyLink({ db, keys: KEYS }, 'old-system-token-2')).not.toBeNull()
  })

  test('that another address has refuse a row, near and far, and its reader can come without', async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    const report = createReport()
    const far = Array.from({ length: 5_000 }, (_, n): Cells => [`reader${n}@example.org`])
    const rows: Cells[] = [
      ['ada@example.org', '', '', TOKEN],
      ['grace@example.org', '', '', TOKEN],
      ['grace@example.org'],
      ...far,
      ['late@example.org', '', '', TOKEN],
    ]
    expect(await importRows(db, rows, { report })).toMatchObject({ imported: 5_002, refused: 2, links: 1 })
    expect(report.rows().map(({ line, errors }) => [line, errors[0]?.problem])).toEqual([
      [3, 'Another address has this link already.'],
      [5_005, 'Another address has this link already.'],
    ])
  })

  test('end when their reader is erased, are in what is held of them, and no hash is left', async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    await importRows(db, [['ada@example.org', '', '', TOKEN]])
    const { id } = await db.selectFrom('subscribers').select('id').executeTakeFirstOrThrow()
    expect(await exportPersonalData({ db, keys: KEYS, now: () => AT }, { id })).toMatchObject({
      legacyLinks: [{ at: AT }],
    })
    await eraseFrom(db, id)
    expect(await findLegacyLink({ db, keys: KEYS }, TOKEN)).toBeNull()
    expect(await countOf(db, 'legacy_links')).toBe(0)
  })
})

describe('an import that was killed', () => {
  const rows = Array.from(
    { length: 9_500 },
    (_, n): Cells => [n % 100 === 7 ? `nobody${n}` : `reader${n}@example.org`, '', '', `token-of-reader-${n}`],
  )

  test('goes on where it was, at whatever row, with the counts and the report of one that was not', async () => {
    const whole = createReport()
    await using undisturbed = await openNewsletter()
    const { resumedFrom: _, ...expected } = await importRows(undisturbed.db, rows, { key: KEY, report: whole })
    for (const killAt of thorough ? [700, 4_200, 9_100] : [4_200]) {
      await using newsletter = await openNewsletter()
      const { db } = newsletter
      const report = createReport()
      await expect(importRows(db, rows, { key: KEY, report, killAt })).rejects.toThrow('killed')
      expect(await countOf(db, 'subscriber_imports')).toBe(1)
      // A kill between the report and the commit leaves rows in it that count for nothing.
      await report.write([{ line: 1, cells: ['left over'], errors: [] }])
      const { resumedFrom, named: __, ...again } = await importRows(db, rows, { key: KEY, report })
      expect(resumedFrom).toBeGreaterThan(0)
      expect({ ...again, named: expected.named }).toEqual(expected)
      expect(report.rows()).toEqual(whole.rows())
      expect(await readAll(db)).toEqual(await readAll(undisturbed.db))
      expect([await countOf(db, 'consent_records'), await countOf(db, 'legacy_links')]).toEqual([9_405, 9_405])
      expect(await countOf(db, 'subscriber_imports')).toBe(0)
    }
  })

  test('leaves those as they are who have left since', async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    await expect(importRows(db, rows, { killAt: 9_000 })).rejects.toThrow('killed')
    await db
      .updateTable('subscribers')
      .set({ state: 'unsubscribed', next_due_at: null })
      .where('email', '=', 'reader0@example.org')
      .execute()
    expect(await importRows(db, rows)).toMatchObject({ kept: { unsubscribed: 1, active: expect.any(Number) } })
    expect(await countOf(db, 'subscribers')).toBe(9_405)
  })

  test('for its disk was nearly full goes on once there is space', async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    let batches = 0
    const requireSpace = async () => {
      if (++batches === 2) throw new LittleSpace('3 MB are free')
      return undefined
    }
    await expect(importRows(db, rows, { key: KEY, requireSpace })).rejects.toThrow(LittleSpace)
    expect(await countOf(db, 'subscribers')).toBe(3_960)
    expect(await importRows(db, rows, { key: KEY, requireSpace })).toMatchObject({
      resumedFrom: 4_000,
      imported: 9_405,
    })
  })

  test('two at a time are told from one another, and no row is there twice', async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    const both = await Promise.allSettled([importRows(db, rows, { key: KEY }), importRows(db, rows, { key: KEY })])
    const failed = both.flatMap((one) => (one.status === 'rejected' ? [(one.reason as Error).message] : []))
    expect(failed).toEqual(['another process imports this file; wait until it is through'])
    expect([await countOf(db, 'subscribers'), await countOf(db, 'consent_records')]).toEqual([9_405, 9_405])
  })
})
