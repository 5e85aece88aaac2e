/** What a visitor is shown before they subscribe: today's digest, and on a day without one the welcome. */
import { expect, test } from 'vitest'
import { storeAll } from '../../../src/newsletter/intake.ts'
import { createPreviews } from '../../../src/newsletter/publishing/preview.ts'
import { LONDON_DAILY, listingsOf, openNewsletter, storeDay } from '../../support/fixtures/newsletter.ts'

const at = (text: string) => () => new Date(text)

test('a preview is the digest of today where there is one', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  for (const day of ['2026-04-09', '2026-04-10', '2026-04-14']) await storeDay(db, day, ['robotics'])
  const issue = await createPreviews({ db, now: at('2026-04-14T12:00:00Z') }).readDigest(LONDON_DAILY)
  expect(issue).toMatchObject({ kind: 'daily', localDate: '2026-04-14', listDays: ['2026-04-14'] })
  expect(issue.cards).toHaveLength(1)
})

test('a preview is the welcome on an empty day, and is empty where the welcome would be', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  for (const day of ['2026-04-09', '2026-04-10']) await storeDay(db, day, ['robotics'])
  const previews = createPreviews({ db, now: at('2026-04-18T12:00:00Z') })
  const issue = await previews.readDigest(LONDON_DAILY)
  expect(issue).toMatchObject({ kind: 'welcome', listDays: ['2026-04-09', '2026-04-10'] })
  expect(issue.cards).toHaveLength(2)
  const none = await previews.readDigest({ ...LONDON_DAILY, topics: ['speech-audio'], muted: ['robot'] })
  expect(none.cards).toEqual([])
})

test('a name by an initial is told to be several authors where papers of the last weeks have several', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const days = {
    '2026-04-07': ['Jie Wang'],
    '2026-04-08': ['Jun Wang', 'Jie Wang'],
    '2026-04-09': ['Mei Wang', 'G. Li'],
  }
  for (const [day, authors] of Object.entries(days))
    for (const { paper, ...listing } of listingsOf(day, ['robotics']))
      await storeAll(db, 'file', [{ ...listing, paper: { ...paper, authors } }])
  const previews = createPreviews({ db, now: at('2026-04-14T12:00:00Z') })
  const broad = (...authors: string[]) => previews.readBroadAuthors({ ...LONDON_DAILY, authors })
  expect(await broad('Jie Wang', 'G. Li', 'X. Wang')).toEqual([])
  expect(await broad('J. Wang')).toMatchObject([{ name: 'J. Wang', papers: 2, found: ['Jie Wang', 'Jun Wang'] }])
})
