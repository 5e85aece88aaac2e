/** What arXiv announces: names, days and kinds as its feed writes them. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type FeedEntry, lateBatch, readAnnouncement } from '../../../src/core/papers/arxiv-announcement.ts'
import { UnreadableRow } from '../../../src/core/papers/paper-row.ts'

const NOW = new Date('2026-04-14T08:00:00Z')
const ENTRY: FeedEntry = {
  id: 'oai:arXiv.org:2604.01234v1',
  title: 'On $k$-means,\n  again',
  summary: 'arXiv:2604.01234v1 Announce Type: cross \nAbstract: We look at\nmeans. Abstract: thought.',
  creators: "Paulo Andr\\'e Lima, Ada Byron",
  categories: ['cs.LG', 'stat.ML', 'cs.LG', '68T50'],
  published: '2026-04-14T00:00:00-04:00',
  announceType: 'cross',
}

describe('an entry', () => {
  test('is a listing of the day of its announcement, without any count', () => {
    expect(readAnnouncement(ENTRY, NOW)).toEqual({
      type: 'cross',
      listing: {
        paper: {
          id: '2604.01234',
          title: 'On $k$-means, again',
          abstract: 'We look at means. Abstract: thought.',
          authors: ['Paulo André Lima', 'Ada Byron'],
          publishedOn: null,
          categories: ['cs.LG', 'stat.ML'],
          codeUrl: null,
          projectUrl: null,
          discussionUrl: null,
        },
        listDay: '2026-04-14',
        observation: { at: NOW, hourKnown: true, upvotes: null, comments: null, stars: null },
      },
    })
  })

  test.each([
    ['2026-04-14T00:00:00-04:00', '2026-04-14'],
    ['2026-04-14T04:00:00+00:00', '2026-04-14'],
    ['2026-04-14T03:59:59+00:00', '2026-04-13'],
    ['2026-01-14T00:00:00-05:00', '2026-01-14'],
  ])('announced at %s stands on the day that it was in New York, %s', (published, listDay) => {
    expect(readAnnouncement({ ...ENTRY, published }, NOW).listing.listDay).toBe(listDay)
  })

  test('that says in its summary alone what it announces is understood', () => {
    expect(readAnnouncement({ ...ENTRY, announceType: '' }, NOW).type).toBe('cross')
  })

  test('of the old form of ids, or without the usual beginning, keeps what it has', () => {
    const { listing } = readAnnouncement({ ...ENTRY, id: 'oai:arXiv.org:hep-ex/0307015v2', summary: 'Plain.' }, NOW)
    expect([listing.paper.id, listing.paper.abstract]).toEqual(['hep-ex/0307015', 'Plain.'])
  })

  test.each([
    [{ id: 'oai:arXiv.org:nonsense' }, 'its id is not one of arXiv'],
    [{ title: '\u200B ' }, 'it has no title'],
    [{ announceType: 'withdrawn' }, 'it does not say whether it is new'],
    [{ announceType: '', summary: 'Plain.' }, 'it does not say whether it is new'],
    [{ published: 'today' }, 'it does not say when it was announced'],
    [{ published: '2026-02-30T00:00:00-05:00' }, 'it does not say when it was announced'],
  ])('with %j is no paper', (odd, why) => {
    expect(() => readAnnouncement({ ...ENTRY, ...odd }, NOW)).toThrow(new UnreadableRow(why))
  })

  test('of any texts at all is read or refused, never a fault', () => {
    const texts = fc.record({
      id: fc.constantFrom(ENTRY.id, ''),
      title: fc.string(),
      summary: fc.string(),
      creators: fc.string({ unit: fc.constantFrom(...'ab,({})\\\'" .Jr') }),
      categories: fc.array(fc.string()),
      published: fc.oneof(fc.constant(ENTRY.published), fc.string()),
      announceType: fc.constantFrom('new', 'cross', 'replace', ''),
    })
    fc.assert(
      fc.property(texts, (entry) => {
        try {
          const { paper } = readAnnouncement(entry, NOW).listing
          expect(paper.authors.every((author) => author !== '')).toBe(true)
        } catch (error) {
          expect(error).toBeInstanceOf(UnreadableRow)
        }
      }),
    )
  })
})

describe('a batch', () => {
  test.each([
    // Tuesday the 14th: its batch is made at midnight in New York, 04:00 UTC, and may take its time.
    ['2026-04-14T03:59:00Z', '2026-04-13', true],
    ['2026-04-14T05:59:00Z', '2026-04-13', true],
    ['2026-04-14T06:01:00Z', '2026-04-13', false],
    ['2026-04-14T06:01:00Z', '2026-04-14', true],
    ['2026-04-14T23:00:00Z', '2026-04-10', false],
    // There is none on Saturday and Sunday: Friday's is the newest until Monday's.
    ['2026-04-18T12:00:00Z', '2026-04-17', true],
    ['2026-04-19T12:00:00Z', '2026-04-17', true],
    ['2026-04-19T12:00:00Z', null, true],
    ['2026-04-19T12:00:00Z', '2026-04-16', false],
    ['2026-04-20T05:00:00Z', '2026-04-17', true],
    ['2026-04-20T05:00:00Z', null, true],
    ['2026-04-20T07:00:00Z', '2026-04-17', false],
    ['2026-04-20T07:00:00Z', null, false],
    // In winter midnight in New York is 05:00 UTC.
    ['2026-01-14T06:30:00Z', '2026-01-13', true],
    ['2026-01-14T07:30:00Z', '2026-01-13', false],
  ])('seen at %s, of %s: the one to expect is %s', (now, batchDay, isExpected) => {
    const notice = lateBatch(batchDay, new Date(now))
    if (isExpected) expect(notice).toBeNull()
    else expect(notice).toMatch(/^(it serves the batch of \S+, and|its feed is empty, and) .* should be there/)
  })
})
