/** What makes a cohort: equal requests have equal keys, whatever the order of lists, and any others do not. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Cohort, cohortKey } from '../../../src/core/digest/cohort.ts'

const cohorts: fc.Arbitrary<Cohort> = fc.record({
  kind: fc.constantFrom('daily' as const, 'weekly' as const),
  cutoff: fc.constantFrom(new Date('2026-04-15T06:00:00Z'), new Date('2026-04-15T07:00:00Z')),
  localDate: fc.constantFrom('2026-04-15', '2026-04-16'),
  profile: fc.record({
    trending: fc.boolean(),
    topics: fc.uniqueArray(fc.constantFrom('code', 'vlm', 'agents'), { minLength: 1 }),
    keywords: fc.uniqueArray(fc.constantFrom('sheet music', 'lean 4', 'code')),
    authors: fc.uniqueArray(fc.constantFrom('grace hopper', 'code')),
    muted: fc.uniqueArray(fc.constantFrom('sheet music', 'survey')),
    whenEmpty: fc.constantFrom('skip' as const, 'send' as const),
    papers: fc.constantFrom(3 as const, 5 as const, null),
    leastPapers: fc.constant(1 as const),
  }),
  since: fc.constantFrom(new Date('2026-04-12T06:00:00Z'), new Date('2026-04-08T06:00:00Z')),
  recentlySent: fc.uniqueArray(fc.constantFrom('2604.00001', '2604.00002', '2604.00003')),
  note: fc.constantFrom(null, 'No digest on Tuesday 14 April: no new papers matched what you follow.'),
  news: fc.constantFrom([], [{ paperId: '2604.00001', revision: 1, kind: 'code' as const, version: null }]),
})
const key = (cohort: Cohort): string => cohortKey(cohort).toString('hex')
const plain = (cohort: Cohort): string =>
  JSON.stringify({
    ...cohort,
    profile: Object.values(cohort.profile).map((one) => [one].flat().toSorted()),
    recentlySent: [...cohort.recentlySent].sort(),
  })

test('two requests have one key exactly when they differ in nothing but the order of lists', () => {
  fc.assert(
    fc.property(cohorts, cohorts, (one, other) => {
      expect(key(one) === key(other)).toBe(plain(one) === plain(other))
      const profile = { ...one.profile, topics: one.profile.topics.toReversed(), muted: one.profile.muted.toReversed() }
      const reversed = { ...one, profile, recentlySent: [...one.recentlySent].reverse() }
      expect(key(reversed)).toBe(key(one))
    }),
    { numRuns: 500 },
  )
})

test('readers who spell the same words differently share a digest', () => {
  const [cohort] = fc.sample(cohorts, 1)
  if (cohort === undefined) throw new Error('no sample')
  const keyOf = (keywords: string[], authors: string[], muted: string[]): string =>
    key({ ...cohort, profile: { ...cohort.profile, keywords, authors, muted } })
  expect(keyOf(['Sheet-Music', 'lean 4'], ['Ağça, Tuğba'], ['Surveys'])).toBe(
    keyOf(['Lean 4', 'sheet musics'], ['tugba agca'], ['survey']),
  )
})
