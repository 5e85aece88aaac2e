/** Acts on editions and suppressions that are taken back from the record: once, and each by what does the opposite. */
import { expect, test } from 'vitest'
import { type Audit, createAudit } from '../../src/newsletter/audit.ts'
import { pauseEdition, resumeEdition } from '../../src/newsletter/edition-control.ts'
import { addSuppression, removeSuppression } from '../../src/newsletter/feedback/suppressions.ts'
import type { Database } from '../../src/store/database.ts'
import { storeInState } from '../support/fixtures/every-state.ts'
import { oweMissedEdition } from '../support/fixtures/missed-edition.ts'
import { openNewsletter } from '../support/fixtures/newsletter.ts'

const NOW = new Date('2026-04-15T09:00:00Z')
const ADA = { byWhom: 'Ada', via: 'admin' } as const
const BY = { whom: 'Ada', via: 'admin', why: 'asked' } as const
const ANY = { byWhom: null, action: null, subject: null }

const openAudit = async () => {
  const newsletter = await openNewsletter()
  return { ...newsletter, audit: createAudit({ db: newsletter.db, now: () => NOW }) }
}

/** The newest entry. */
const newest = async (audit: Audit) => (await audit.read(ANY, null)).acts[0]
const undoNewest = async (audit: Audit) => audit.undo({ byWhom: 'Grace', via: 'admin' }, (await newest(audit))?.id ?? 0)
const stateOf = async (db: Database) =>
  (await db.selectFrom('subscribers').select('state').where('email', '=', 'ada@example.org').executeTakeFirst())?.state

test('a pause is undone by resuming, and that by pausing again; each entry once', async () => {
  await using newsletter = await openAudit()
  const { db, audit } = newsletter
  const { id } = await oweMissedEdition(db)
  const pausedBy = async () => (await db.selectFrom('editions').select('paused_by').executeTakeFirstOrThrow()).paused_by
  await pauseEdition(db, id, { by: 'Ada', why: null }, ADA)
  const entry = await newest(audit)
  expect(entry).toMatchObject({ action: 'edition.paused', canUndo: true })
  expect(await undoNewest(audit)).toBe('undone')
  expect(await pausedBy()).toBeNull()
  expect(await newest(audit)).toMatchObject({ action: 'edition.resumed', by_whom: 'Grace', undoes: entry?.id })
  expect(await audit.undo(ADA, entry?.id ?? 0)).toHaveProperty('problem')
  expect(await undoNewest(audit)).toBe('undone')
  expect(await pausedBy()).toBe('Grace')
  // What somebody did since stands in the way, and says so.
  await resumeEdition(db, id, ADA)
  const [, pausedAgain] = (await audit.read(ANY, null)).acts
  expect(await audit.undo(ADA, pausedAgain?.id ?? 0)).toEqual({ problem: `Edition ${id} is not paused.` })
})

test('a suppression is undone by its subscriber, and so is its removal; of an address that is nobody’s it says where', async () => {
  await using newsletter = await openAudit()
  const { db, audit } = newsletter
  await storeInState(db, 'active', 'ada@example.org', NOW)
  await addSuppression(db, 'ada@example.org', BY)
  expect(await undoNewest(audit)).toBe('undone')
  expect(await stateOf(db)).toBe('active')
  expect(await undoNewest(audit)).toBe('undone')
  expect(await stateOf(db)).toBe('suppressed')
  await addSuppression(db, 'nobody@example.net', BY)
  expect(await undoNewest(audit)).toEqual({ problem: expect.stringContaining('Find it under Suppressions') })
  // The service’s own changes are not acts.
  const before = await newest(audit)
  await removeSuppression(db, NOW, 'nobody@example.net', { whom: 'service', why: 'x' })
  expect(await newest(audit)).toEqual(before)
})
