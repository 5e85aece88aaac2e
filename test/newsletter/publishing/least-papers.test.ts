/** The rule of a least number of papers, over random days: no paper is lost or sent twice, and each day without a digest is told once. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { addDays } from '../../../src/core/calendar.ts'
import { eligibleSince, RECENTLY_SENT_DAYS } from '../../../src/core/digest/eligibility.ts'
import { NOTHING_NEW } from '../../../src/core/digest/empty-digest.ts'
import { LONGEST_WAIT } from '../../../src/core/digest/least-papers.ts'
import { createPaperIndex } from '../../../src/core/digest/paper-index.ts'
import type { UntoldBefore } from '../../../src/core/digest/skipped-digests.ts'
import type { CandidatePool, DigestCandidate } from '../../../src/newsletter/publishing/candidate-pool.ts'
import { composeDigest } from '../../../src/newsletter/publishing/digest.ts'
import { untoldBefore } from '../../../src/newsletter/publishing/digest-request.ts'
import type { NewDigest, PreviousDigest } from '../../../src/store/digests.ts'
import { LONDON_DAILY } from '../../support/fixtures/newsletter.ts'
import { propertyRuns } from '../../support/thoroughness.ts'

const DAY = 86_400_000
/** A Tuesday. */
const START = '2026-04-14'

const paperOf = (id: string, eligibleAt: Date, upvotes: number): DigestCandidate => ({
  id,
  revision: 1,
  source: 'file',
  title: id,
  listDay: eligibleAt.toISOString().slice(0, 10),
  categories: 1,
  eligibleAt,
  ageHours: 10,
  upvotes,
  comments: 0,
  observedAt: eligibleAt,
  hourKnown: true,
  withdrawn: false,
  trend: { percentile: upvotes / 100, topPercent: null },
  relevance: [{ topic: 'robotics', score: 0.99, squarely: 1, matches: [] }],
  votes: 0,
  picked: false,
  endorsements: { votes: 0, pick: null, pin: null, curations: [] } as never,
  pinnedTo: null,
})

const poolAt = (cutoff: Date, papers: DigestCandidate[]): CandidatePool => ({
  cutoff,
  papers: papers.filter(
    ({ eligibleAt }) => eligibleAt <= cutoff && eligibleAt.getTime() > cutoff.getTime() - RECENTLY_SENT_DAYS * DAY,
  ),
  byId: new Map(papers.map((paper) => [paper.id, paper])),
  index: createPaperIndex([]),
  listed: new Map(),
  topicPapers: new Map(),
  isAlike: () => false,
  whyEmpty: NOTHING_NEW,
  partialDay: null,
  terms: () => {
    throw new Error('nobody has a taste')
  },
})

/** What the publisher keeps of a reader from day to day. */
interface Reader {
  previous: PreviousDigest | undefined
  lastCutoff: Date
  sent: string[]
}

const publish = (
  { previous, lastCutoff, sent }: Reader,
  { papers, localDate, leastPapers }: { papers: DigestCandidate[]; localDate: string; leastPapers: 1 | 2 | 3 | 5 },
): { digest: NewDigest; untold: UntoldBefore; reader: Reader } => {
  const cutoff = new Date(`${localDate}T12:00:00Z`)
  const untold = untoldBefore(previous, [], 'daily', { at: cutoff, localDate })
  const request = {
    kind: 'daily' as const,
    profile: { ...LONDON_DAILY, topics: ['robotics'], leastPapers },
    localDate,
    since: eligibleSince('daily', cutoff, lastCutoff),
    recentlySent: sent,
    note: null,
    untold,
    news: [],
  }
  const digest = composeDigest(poolAt(cutoff, papers), request, null, previous === undefined ? [] : [previous])
  return {
    digest,
    untold,
    reader: {
      previous: {
        id: 1,
        recentlySent: [],
        localDate,
        topics: ['robotics'],
        emptySince: digest.emptySince,
        untold: digest.untold ?? null,
        note: digest.note,
      },
      lastCutoff: digest.keepsCutoff ? lastCutoff : cutoff,
      sent: [...sent, ...Object.keys(digest.sent)],
    },
  }
}

const days = fc.array(fc.array(fc.integer({ min: 0, max: 100 }), { maxLength: 3 }), { minLength: 3, maxLength: 25 })

test('no paper is lost or sent twice, each day without a digest is told once, and none waits longer than a week', () => {
  fc.assert(
    fc.property(days, fc.constantFrom(2 as const, 3 as const, 5 as const), (counts, leastPapers) => {
      const papers = counts.flatMap((upvotes, day) =>
        upvotes.map((count, n) => paperOf(`${day}-${n}`, new Date(`${addDays(START, day)}T09:00:00Z`), count)),
      )
      let reader: Reader = { previous: undefined, lastCutoff: new Date(`${START}T00:00:00Z`), sent: [] }
      const skipped: string[] = []
      let told = 0
      // Long enough for all that waits to come.
      for (let day = 0; day < counts.length + LONGEST_WAIT + 1; day++) {
        const localDate = addDays(START, day)
        const { digest, untold, reader: after } = publish(reader, { papers, localDate, leastPapers })
        if (digest.entries.length === 0) {
          if ((after.previous?.untold?.skipped.at(-1)?.to ?? '') === localDate) skipped.push(localDate)
        } else {
          const days = untold.skipped.reduce((sum, run) => sum + run.days, 0)
          expect(days).toBe(skipped.length - told)
          told = skipped.length
          for (const entry of digest.entries) {
            const listed = Number(entry.paperId.split('-')[0])
            expect(day - listed).toBeLessThanOrEqual(LONGEST_WAIT)
          }
          expect(digest.note === null).toBe(days === 0)
        }
        reader = after
      }
      expect(reader.sent.toSorted()).toEqual(papers.map(({ id }) => id).toSorted())
    }),
    { numRuns: propertyRuns(500) },
  )
})

test('what waited comes before better papers where a digest has no room for all', () => {
  const morning = (day: number) => new Date(`${addDays(START, day)}T09:00:00Z`)
  const papers = [
    paperOf('poor', morning(0), 1),
    ...Array.from({ length: 12 }, (_, n) => paperOf(`better-${n}`, morning(1), 90 + (n % 3))),
  ]
  const start: Reader = { previous: undefined, lastCutoff: new Date(`${START}T00:00:00Z`), sent: [] }
  const first = publish(start, { papers, localDate: START, leastPapers: 2 })
  expect(first.digest.entries).toEqual([])
  const second = publish(first.reader, { papers, localDate: addDays(START, 1), leastPapers: 2 })
  expect(second.digest.entries).toHaveLength(10)
  expect(second.digest.entries.map(({ paperId }) => paperId)).toContain('poor')
  expect(second.digest.note).toBe('Tuesday 14 April had 1 paper, fewer than the 2 you asked for: it is here.')
})
