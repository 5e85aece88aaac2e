/** Naming curators, and the link that is mailed to them, over real SMTP. */
import PostalMime from 'postal-mime'
import { expect, test } from 'vitest'
import { createCurations } from '../../../src/newsletter/curation/curations.ts'
import { nameCurator, removeCurator, renewCuratorLink } from '../../../src/newsletter/curation/curators.ts'
import { recordFeedback } from '../../../src/newsletter/feedback/feedback.ts'
import { addSuppression } from '../../../src/newsletter/feedback/suppressions.ts'
import { drain } from '../../../src/newsletter/sending/delivery.ts'
import type { Curator } from '../../../src/store/curators.ts'
import { BY_OPERATOR, KEYS, SILENT } from '../../support/fixtures/newsletter.ts'
import { DUE, OPTIONS, openSendingNewsletter } from '../../support/fixtures/sending-newsletter.ts'

const GRACE = 'Grace@example.org'
type Sending = Awaited<ReturnType<typeof openSendingNewsletter>>

const portsOf = ({ db }: Pick<Sending, 'db'>) => ({ db, keys: KEYS, now: () => DUE })
const curationsOf = ({ db }: Pick<Sending, 'db'>) =>
  createCurations({ db, keys: KEYS, now: () => DUE, wakeFetch: () => undefined })

/** Sends what letters wait; returns the tokens in those to an address. */
const sendLetters = async ({ ports, sink }: Sending, to = GRACE): Promise<string[]> => {
  const before = sink.messages.length
  await drain(ports, 'letters', OPTIONS)
  const tokens: string[] = []
  for (const { to: recipient, raw } of sink.messages.slice(before)) {
    expect(recipient).toBe(to)
    const { html, text } = await PostalMime.parse(Buffer.from(raw, 'latin1'))
    const [token = ''] = [
      ...new Set([...`${html} ${text}`.matchAll(/\/curate\/([\w-]{43})/g)].map(([, one]) => one ?? '')),
    ]
    tokens.push(token)
  }
  return tokens
}
const named = async (newsletter: Sending): Promise<Curator> => {
  const result = await nameCurator(portsOf(newsletter), BY_OPERATOR, GRACE, '  Grace   Hopper ')
  if ('problem' in result) throw new Error(result.problem)
  return result.curator
}

test('a curator is mailed one link that works, a fresh one ends it, and removing them ends that and forgets their address', async () => {
  await using newsletter = await openSendingNewsletter(1)
  const { db } = newsletter
  expect(await named(newsletter)).toMatchObject({ address: GRACE, name: 'Grace Hopper', ended_at: null })
  const [first = ''] = await sendLetters(newsletter)
  const curations = curationsOf(newsletter)
  expect(await curations.readPage(first, null)).toMatchObject({ name: 'Grace Hopper' })

  expect(await renewCuratorLink(portsOf(newsletter), BY_OPERATOR, GRACE.toLowerCase())).toMatchObject({
    suppressed: null,
  })
  expect(await curations.readPage(first, null)).toBe('replaced')
  const [second = ''] = await sendLetters(newsletter)
  expect(second).not.toBe(first)
  expect(await curations.act(second, { act: 'pick', paperId: '2604.11784', note: 'why' })).toMatchObject({
    outcome: 'done',
  })

  expect(await removeCurator(portsOf(newsletter), BY_OPERATOR, GRACE)).toMatchObject({
    address: null,
    name: 'Grace Hopper',
  })
  for (const token of [first, second]) {
    expect(await curations.readPage(token, null)).toBe('removed')
    expect(await curations.act(token, { act: 'hide', paperId: '2604.13001', note: 'no' })).toBe('removed')
  }
  expect(JSON.stringify(await db.selectFrom('curators').selectAll().execute()).toLowerCase()).not.toContain('grace@')
  // What she did stays, with her name; named again, she has a link of her own.
  await named(newsletter)
  const [third = ''] = await sendLetters(newsletter)
  const page = await curations.readPage(third, null)
  expect(page).toMatchObject({ done: [{ curator: 'Grace Hopper', paperId: '2604.11784', undoneAt: null }] })
  expect(await curations.readPage(second, null)).toBe('removed')
})

test('a letter that waits while its curator is removed is not sent', async () => {
  await using newsletter = await openSendingNewsletter(1)
  await named(newsletter)
  await removeCurator(portsOf(newsletter), BY_OPERATOR, GRACE)
  expect(await sendLetters(newsletter)).toEqual([])
  expect(
    await newsletter.db.selectFrom('letters').select(['state', 'reason']).where('kind', '=', 'curator').execute(),
  ).toEqual([{ state: 'skipped', reason: 'no longer wanted' }])
})

test.each([
  ['no address', 'nobody', 'Grace', /address/],
  ['no name', GRACE, ' \u200b ', /The name is empty/],
  ['an endless name', GRACE, 'G'.repeat(61), /The name has 61 characters; at most 60/],
])('%s is refused in words', async (_, address, name, words) => {
  await using newsletter = await openSendingNewsletter(1)
  expect(await nameCurator(portsOf(newsletter), BY_OPERATOR, address, name)).toEqual({
    problem: expect.stringMatching(words),
  })
  expect(await newsletter.db.selectFrom('curators').selectAll().execute()).toEqual([])
})

test('an address is a curator’s once, also of two who name them at the same moment; an unknown one is refused', async () => {
  await using newsletter = await openSendingNewsletter(1)
  const ports = portsOf(newsletter)
  const both = await Promise.all(['Grace', 'Hopper'].map((name) => nameCurator(ports, BY_OPERATOR, GRACE, name)))
  expect(both.filter((one) => 'problem' in one)).toEqual([
    { problem: 'This address is a curator’s already; curators link mails them a fresh link.' },
  ])
  expect(await sendLetters(newsletter)).toHaveLength(1)
  const unknown = { problem: 'No curator has this address; see curators list.' }
  expect(await renewCuratorLink(ports, BY_OPERATOR, 'nobody@example.org')).toEqual(unknown)
  expect(await removeCurator(ports, BY_OPERATOR, 'nobody@example.org')).toEqual(unknown)
})

test('nothing is mailed to a suppressed address, which whoever names it is told', async () => {
  await using newsletter = await openSendingNewsletter(1)
  await addSuppression(newsletter.db, GRACE, { whom: 'op', why: 'asked' })
  expect(await nameCurator(portsOf(newsletter), BY_OPERATOR, GRACE, 'Grace')).toMatchObject({ suppressed: 'operator' })
  expect(await sendLetters(newsletter)).toEqual([])
})

test.each(['the server refuses the letter', 'the letter comes back', 'it is complained about'])(
  'where %s the address is suppressed, and no subscriber is looked for',
  async (how) => {
    const refuses = how.startsWith('the server')
    await using newsletter = await openSendingNewsletter(
      1,
      refuses ? ({ stage }) => (stage === 'rcpt' ? { reply: '550 5.1.1 no such user' } : undefined) : undefined,
    )
    const { db } = newsletter
    await named(newsletter)
    await sendLetters(newsletter)
    const { id } = await db.selectFrom('letters').select('id').where('kind', '=', 'curator').executeTakeFirstOrThrow()
    if (!refuses) {
      const report = {
        kind: how.includes('complained') ? ('complaint' as const) : ('bounce' as const),
        class: how.includes('complained') ? null : ('hard' as const),
        code: '5.1.1',
        diagnostic: 'no such user Grace@example.org',
        feedback: null,
      }
      const ports = { db, log: SILENT, checkEditions: async () => undefined }
      expect(await recordFeedback(ports, { stream: 'letters', id }, report, 'mail')).toBe('suppressed')
      expect(await recordFeedback(ports, { stream: 'letters', id }, report, 'mail')).toBe('known')
    }
    expect(await db.selectFrom('suppressions').select(['email', 'class']).execute()).toEqual([
      { email: 'grace@example.org', class: how.includes('complained') ? 'complaint' : 'hard' },
    ])
    expect(await db.selectFrom('mail_feedback').selectAll().execute()).toEqual([])
  },
)
