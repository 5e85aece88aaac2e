/** What came back, by edition and by reader: every class with its words, and suppressions undone in bulk. */
import { expect, test } from 'vitest'
import { readMail } from '../../../src/newsletter/account.ts'
import { readEditionAccount } from '../../../src/newsletter/editions.ts'
import { type Bounce, type ReturnClass, streamBounces } from '../../../src/newsletter/feedback/bounce-list.ts'
import { recordFeedback } from '../../../src/newsletter/feedback/feedback.ts'
import { addSuppression, removeSuppressions } from '../../../src/newsletter/feedback/suppressions.ts'
import { drain } from '../../../src/newsletter/sending/delivery.ts'
import { readSuppressionLog } from '../../../src/store/suppressions.ts'
import { SILENT } from '../../support/fixtures/newsletter.ts'
import { DUE, OPTIONS, openSendingNewsletter } from '../../support/fixtures/sending-newsletter.ts'

const REPLIES: Record<string, { stage: string; reply: string }> = {
  reader0: { stage: 'rcpt', reply: '550 5.1.1 <reader0@example.org> no such user' },
  reader1: { stage: 'dot', reply: '552 5.2.2 mailbox full' },
}
const BY = { whom: 'ada', why: 'the relay was at fault' }
const ALL = { editionId: null, classes: ['hard', 'soft'] as const, since: null, until: null }

/** An edition to five readers: two are refused in the conversation, two bounce later, and one complains. */
const openReturned = async () => {
  const newsletter = await openSendingNewsletter(5, ({ stage, to }) => {
    const answer = REPLIES[to.split('@')[0] ?? '']
    return answer?.stage === stage ? { reply: answer.reply } : undefined
  })
  const { db } = newsletter
  await drain(newsletter.ports, 'deliveries', OPTIONS)
  const mails = await db
    .selectFrom('deliveries')
    .innerJoin('subscribers', 'subscribers.id', 'subscriber_id')
    .select(['deliveries.id', 'email', 'edition_id'])
    .execute()
  const mailOf = (name: string) => mails.find(({ email }) => email === `${name}@example.org`)?.id ?? ''
  const ports = { db, log: SILENT, checkEditions: async () => undefined }
  const report = { code: '4.2.2', diagnostic: 'over quota', feedback: null }
  const bounce = { ...report, kind: 'bounce' as const, class: 'soft' as const }
  await recordFeedback(ports, { stream: 'deliveries', id: mailOf('reader3') }, bounce, 'mail')
  const ours = { ...bounce, class: 'ours' as const, code: '5.7.1', diagnostic: 'message looks like spam' }
  await recordFeedback(ports, { stream: 'deliveries', id: mailOf('reader2') }, ours, 'mail')
  const complaint = { ...report, kind: 'complaint' as const, class: null, code: null, diagnostic: null }
  await recordFeedback(ports, { stream: 'deliveries', id: mailOf('reader4') }, complaint, 'feedback loop')
  const bouncesOf = async (address: string | null, classes: ReturnClass[] | null = null) => {
    const rows: Bounce[] = []
    const edition = address === null ? (mails[0]?.edition_id ?? 0) : null
    await streamBounces(db, { edition, address, classes }, async (some) => {
      rows.push(...some)
    })
    return rows.map(({ email, class: bounceClass, code, said, source }) => [
      email?.split('@')[0],
      bounceClass,
      code,
      said,
      source,
    ])
  }
  return Object.assign(newsletter, { editionId: mails[0]?.edition_id ?? 0, mailOf, bouncesOf })
}

test('bounces of every class are listed by edition and by reader, with their words and who said them', async () => {
  await using newsletter = await openReturned()
  const { db, editionId, bouncesOf, mailOf } = newsletter
  const hard = ['reader0', 'hard', '550 5.1.1', expect.stringContaining('no such user'), 'smtp']
  const soft = ['reader1', 'soft', '552 5.2.2', '552 5.2.2 mailbox full', 'smtp']
  const ours = ['reader2', 'ours', '5.7.1', 'message looks like spam', 'mail']
  const later = ['reader3', 'soft', '4.2.2', 'over quota', 'mail']
  const complaint = ['reader4', 'complaint', null, null, 'feedback loop']
  const all = await bouncesOf(null)
  expect(all).toHaveLength(5)
  expect(all).toEqual(expect.arrayContaining([hard, soft, ours, later, complaint]))
  expect(await bouncesOf(null, ['soft'])).toEqual([soft, later])
  expect(await bouncesOf('reader2@example.org')).toEqual([ours])
  expect(await readEditionAccount(db, editionId)).toMatchObject({
    returned: { hard: 1, soft: 1, ours: 1, complaint: 1 },
  })
  expect(await readMail(db, mailOf('reader3'))).toMatchObject({
    email: 'reader3@example.org',
    edition: editionId,
    state: 'sent',
    feedback: [{ kind: 'bounce', class: 'soft', diagnostic: 'over quota' }],
  })
  expect(await readMail(db, '00000000-0000-0000-0000-000000000000')).toBeNull()
  await expect(
    streamBounces(db, { edition: 7_000, address: null, classes: null }, async () => undefined),
  ).rejects.toThrow(/no edition 7000/)
})

test('suppressions are removed in bulk by edition, class and time, each logged with its reason', async () => {
  await using newsletter = await openReturned()
  const { db, editionId } = newsletter
  await addSuppression(db, 'nobody@example.org', { whom: 'ada', why: 'asked on the telephone' })
  const remove = (which: object, dryRun = false) => removeSuppressions(db, DUE, { ...ALL, ...which }, BY, dryRun)
  const stateOf = async (n: number) =>
    (
      await db
        .selectFrom('subscribers')
        .select('state')
        .where('id', '=', newsletter.ids[n] ?? '')
        .executeTakeFirst()
    )?.state
  expect(await remove({ editionId: editionId + 1 })).toMatchObject({ removed: 0 })
  expect(await remove({ editionId, until: new Date(0) })).toMatchObject({ removed: 0 })
  expect(await remove({ editionId, since: new Date(Date.now() + 3_600_000) })).toMatchObject({ removed: 0 })
  const one = { removed: 1, classes: { hard: 1 }, addresses: ['reader0@example.org'] }
  expect(await remove({ editionId }, true)).toEqual({ ...one, states: {} })
  expect(await db.selectFrom('subscribers').select('id').where('state', '=', 'suppressed').execute()).toHaveLength(2)
  expect(await remove({ editionId })).toEqual({ ...one, states: { active: 1 } })
  expect(await readSuppressionLog(db, 'reader0@example.org')).toMatchObject([
    { change: 'added', class: 'hard' },
    { change: 'removed', class: 'hard', by_whom: 'ada', why: 'the relay was at fault' },
  ])
  // A complaint is lifted only where it is named, and its reader is not subscribed again by it.
  expect(await remove({ classes: ['complaint', 'operator'] })).toMatchObject({
    classes: { complaint: 1, operator: 1 },
    states: { unsubscribed: 1 },
  })
  expect(await db.selectFrom('suppressions').selectAll().execute()).toEqual([])
  expect(await stateOf(1)).toBe('active')
})
