/** Papers like one: by their rare terms, and of those that share as much the ones of the same topics first. */
import { expect, test } from 'vitest'
import type { Listing } from '../../../src/core/papers/paper.ts'
import { rareTerms } from '../../../src/core/relevance/rare-terms.ts'
import { storeListings } from '../../../src/store/papers/listings.ts'
import { readSimilar } from '../../../src/store/papers/paper-lists.ts'
import { listingsOf, openNewsletter } from '../../support/fixtures/newsletter.ts'

const NOW = new Date('2026-04-20T09:00:00Z')
const ABSTRACT = 'Bimanual deblurring of dialects: a dexterous equivariant approach to deduplication in dances.'

/** A paper of a day with words of its own. */
const paper = (id: string, day: string, title: string, abstract: string): Listing => {
  const [made] = listingsOf(day, ['robotics'])
  if (made === undefined) throw new Error('the day has no papers')
  return { ...made, paper: { ...made.paper, id, title, abstract } }
}

test('of papers with the same terms those of the same topics come before newer ones of others', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const topics: Record<string, Record<string, number>> = {
    '2604.00001': { robotics: 0.9, data: 0.6 },
    '2604.00002': { robotics: 0.9, data: 0.6 },
    '2604.00003': { robotics: 0.8 },
    '2604.00004': { 'speech-audio': 0.9, recsys: 0.9 },
    '2604.00005': { robotics: 0.3 },
    '2604.00006': { robotics: 0.9, data: 0.6 },
  }
  const listings = [
    paper('2604.00001', '2026-04-10', 'Bimanual dances', ABSTRACT),
    paper('2604.00002', '2026-04-07', 'Bimanual dances again', ABSTRACT),
    paper('2604.00003', '2026-04-08', 'More bimanual dances', ABSTRACT),
    paper('2604.00004', '2026-04-14', 'Bimanual dances to music', ABSTRACT),
    paper('2604.00005', '2026-04-13', 'Other bimanual dances', ABSTRACT),
    // Of the same topics, and without its terms.
    paper('2604.00006', '2026-04-14', 'A robot', 'It sweeps the floor of a kitchen.'),
  ]
  await storeListings(db, 'file', listings, ({ id }) =>
    Object.entries(topics[id] ?? {}).map(([topic, score]) => ({ topic, score, matches: [] })),
  )
  const [first] = listings
  if (first === undefined) throw new Error('no papers')
  expect(await readSimilar(db, NOW, '2604.00001', rareTerms(first.paper), 5)).toEqual([
    '2604.00002',
    '2604.00003',
    '2604.00004',
    '2604.00005',
  ])
})
