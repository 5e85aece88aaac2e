/** What a digest tells of papers in earlier ones. */
import { describe, expect, it } from 'vitest'
import {
  type FrozenNews,
  type HeldNews,
  newsKey,
  newsLine,
  newsToTell,
  type SentPaper,
  tellNews,
} from '../../../src/core/papers/paper-news.ts'

const seen = (paperId: string, kind: HeldNews['kind'], version: number | null = null): HeldNews => ({
  paperId,
  kind,
  version,
  seenAt: new Date('2026-04-15T07:00:00Z'),
  revision: 2,
})
const frozen = (paperId: string, kind: FrozenNews['kind'], version: number | null = null): FrozenNews => ({
  paperId,
  kind,
  version,
  revision: 1,
})
const leftOf = (...news: FrozenNews[]) => ({ news, withdrawn: new Set<string>(), hidden: new Set<string>() })
const told = (news: readonly FrozenNews[]) => news.map(({ paperId, kind }) => `${paperId} ${kind}`)
const sentOn = (on: string, ...ids: string[]) => new Map<string, SentPaper>(ids.map((id) => [id, { sentOn: on }]))

describe('what there is to tell', () => {
  it('is in the order of its importance, whatever the order in which it came', () => {
    const all = [seen('a', 'version', 2), seen('b', 'upvotes'), seen('c', 'code'), seen('d', 'venue')]
    const news = newsToTell(leftOf(), [...all, seen('f', 'withdrawn'), seen('e', 'withdrawn')])
    expect(told(news)).toEqual(['e withdrawn', 'f withdrawn', 'd venue', 'c code', 'b upvotes', 'a version'])
  })

  it('is nothing else of a paper that was withdrawn', () => {
    expect(told(newsToTell(leftOf(frozen('a', 'code')), [seen('a', 'version', 2), seen('a', 'withdrawn')]))).toEqual([
      'a withdrawn',
    ])
  })

  it('is one line of several versions, the newest', () => {
    const news = newsToTell(leftOf(frozen('a', 'version', 2)), [seen('a', 'version', 3)])
    expect(news).toEqual([{ ...frozen('a', 'version', 3), revision: 2 }])
  })

  it('leaves out of what was left a paper that is hidden, and a withdrawal of one that is reinstated', () => {
    const left = leftOf(frozen('a', 'code'), frozen('b', 'withdrawn'), frozen('c', 'withdrawn'))
    const news = newsToTell({ ...left, hidden: new Set('a'), withdrawn: new Set('c') }, [])
    expect(told(news)).toEqual(['c withdrawn'])
  })
})

describe('what a reader is told', () => {
  it('is of papers that they were sent', () => {
    const news = newsToTell(leftOf(), [seen('a', 'code'), seen('b', 'code')])
    expect(tellNews(news, sentOn('2026-04-14', 'a'))).toEqual({
      told: [{ ...frozen('a', 'code'), revision: 2 }],
      untold: [],
    })
  })

  it('waits while a paper is under way, so that nobody hears of one that never came', () => {
    const sent = new Map<string, SentPaper>([['a', 'under way']])
    const { told: now, untold } = tellNews([frozen('a', 'code')], sent)
    expect([now, told(untold)]).toEqual([[], ['a code']])
  })

  it('is five things, and the rest is left for the next digest', () => {
    const news = newsToTell(
      leftOf(),
      'gfedcba'.split('').map((id) => seen(id, 'code')),
    )
    const { told: now, untold } = tellNews(news, sentOn('2026-04-14', ...'abcdefg'))
    expect([told(now), told(untold)]).toEqual([
      ['a code', 'b code', 'c code', 'd code', 'e code'],
      ['f code', 'g code'],
    ])
  })

  it('leaves no more than twenty', () => {
    const ids = Array.from({ length: 40 }, (_, n) => `p${n + 10}`)
    const news = ids.map((id) => frozen(id, 'code'))
    expect(tellNews(news, sentOn('2026-04-14', ...ids)).untold).toHaveLength(20)
  })

  it('has the date of the digest with a paper that was withdrawn since', () => {
    const { told: now } = tellNews([frozen('a', 'withdrawn'), frozen('b', 'code')], sentOn('2026-04-14', 'a', 'b'))
    expect(now.map((one) => one.sentOn)).toEqual(['2026-04-14', undefined])
    expect(new Set(now.map((one) => JSON.stringify(newsKey(one)))).size).toBe(2)
  })
})

it('is said in words', () => {
  const line = (one: Partial<FrozenNews>) => newsLine({ ...frozen('a', 'code'), ...one }, (date) => `day ${date}`)
  expect(line({ kind: 'withdrawn' })).toBe('it was withdrawn')
  expect(line({ kind: 'withdrawn', sentOn: '2026-04-14' })).toBe(
    'it was withdrawn. You got it in your digest of day 2026-04-14',
  )
  expect(line({ kind: 'venue', venue: 'accepted at ICML 2026' })).toBe('it was accepted at ICML 2026')
  expect(line({ kind: 'code' })).toBe('code is available now')
  expect(line({ kind: 'upvotes' })).toBe('it has reached 500 upvotes')
  expect(line({ kind: 'version', version: 3 })).toBe('version 3 is out')
})
