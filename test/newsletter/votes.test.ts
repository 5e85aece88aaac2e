/** Whatever readers press and in whatever order, a paper has as many votes as readers who last voted for it. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { deriveToken } from '../../src/core/token.ts'
import { createVotes } from '../../src/newsletter/votes.ts'
import { KEYS, LONDON_DAILY, openNewsletter, storeDay, subscribe } from '../support/fixtures/newsletter.ts'
import { thorough } from '../support/thoroughness.ts'

const NOW = new Date('2026-04-14T10:00:00Z')
const READERS = ['ada', 'ben', 'eve']
const PAPERS = ['2604.14010', '2604.14023']

const pressOf = fc.record({
  reader: fc.nat(READERS.length - 1),
  paper: fc.constantFrom(...PAPERS, '2604.99999', 'no such paper'),
  act: fc.constantFrom('vote', 'vote', 'takeBack', 'leave', 'return'),
})

test('the count of a paper is that of its voters, in any order of presses, also of several at once', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  await storeDay(db, '2026-04-14', LONDON_DAILY.topics)
  const ids: string[] = []
  for (const name of READERS) ids.push(await subscribe(db, `${name}@example.org`, LONDON_DAILY, NOW))
  const votes = createVotes({ db, keys: KEYS, now: () => NOW })
  const setState = (id: string, isBack: boolean) =>
    db
      .updateTable('subscribers')
      .set({ state: isBack ? 'active' : 'unsubscribed', next_due_at: isBack ? NOW : null })
      .where('id', '=', id)
      .execute()

  await fc.assert(
    fc.asyncProperty(fc.array(pressOf, { maxLength: 12 }), async (presses) => {
      await db.deleteFrom('votes').execute()
      for (const id of ids) await setState(id, true)
      const away = new Set<string>()
      const model = new Map(PAPERS.map((paper) => [paper, new Set<string>()]))
      for (const { reader, paper, act } of presses) {
        const id = ids[reader] ?? ''
        if (act === 'leave' || act === 'return') {
          await setState(id, act === 'return')
          away[act === 'leave' ? 'add' : 'delete'](id)
          continue
        }
        const voters = model.get(paper)
        const had = voters?.has(id) ?? false
        const token = deriveToken(KEYS, 'vote', id)
        // The same press twice at once: one of them changes something at most.
        const outcomes = await Promise.all([votes[act](token, paper), votes[act](token, paper)])
        const said = outcomes.map((one) => one?.outcome).sort()
        if (away.has(id)) expect(said).toEqual(['not subscribed', 'not subscribed'])
        else if (voters === undefined) expect(said).toEqual(['no paper', 'no paper'])
        else if (act === 'vote') {
          expect(said).toEqual(['counted', had ? 'counted' : 'counts'])
          voters.add(id)
        } else {
          expect(said).toEqual(['none', had ? 'taken back' : 'none'])
          voters.delete(id)
        }
      }
      for (const [paper, voters] of model) expect((await votes.readPaper(paper))?.votes).toBe(voters.size)
    }),
    { numRuns: thorough ? 100 : 8 },
  )
})
