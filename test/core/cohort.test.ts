/** What makes a cohort: the same wish gives the same key, in whatever order it is written, and any other wish another. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Cohort, cohortKey } from '../../src/core/cohort.ts'

const cohorts: fc.Arbitrary<Cohort> = fc.record({
  kind: fc.constantFrom('daily' as const, 'weekly' as const),
  cutoff: fc.constantFrom(new Date('2026-04-15T06:00:00Z'), new Date('2026-04-15T07:00:00Z')),
  localDate: fc.constantFrom('2026-04-15', '2026-04-16'),
  topics: fc.uniqueArray(fc.constantFrom('code', 'vlm', 'agents'), { minLength: 1 }),
  since: fc.constantFrom(new Date('2026-04-12T06:00:00Z'), new Date('2026-04-08T06:00:00Z')),
  carried: fc.uniqueArray(fc.constantFrom('2604.00001', '2604.00002', '2604.00003')),
  note: fc.constantFrom(null, 'Nothing came on Tuesday, 14 April: no new papers in your topics.'),
})
const key = (cohort: Cohort): string => cohortKey(cohort).toString('hex')
const plain = (cohort: Cohort): string =>
  JSON.stringify({ ...cohort, topics: [...cohort.topics].sort(), carried: [...cohort.carried].sort() })

test('two wishes have one key exactly when they are the same but for order', () => {
  fc.assert(
    fc.property(cohorts, cohorts, (one, other) => {
      expect(key(one) === key(other)).toBe(plain(one) === plain(other))
      const reversed = { ...one, topics: [...one.topics].reverse(), carried: [...one.carried].reverse() }
      expect(key(reversed)).toBe(key(one))
    }),
    { numRuns: 500 },
  )
})
