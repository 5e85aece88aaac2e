/** What a digest tells of papers in earlier ones. */
import { describe, expect, it } from 'vitest'
import { newsLine, newsSince, type PaperNews } from '../../../src/core/papers/paper-news.ts'

const at = (hour: number) => new Date(Date.UTC(2026, 3, 15, hour))
const told = (paperId: string, kind: PaperNews['kind'], hour: number, version: number | null = null) => ({
  paperId,
  kind,
  version,
  seenAt: at(hour),
  revision: 2,
})
const held = (...news: ReturnType<typeof told>[]) => Map.groupBy(news, ({ paperId }) => paperId)
const recentlySent = 'abcdefg'.split('')
const last = { recentlySent, cutoff: at(6), untold: [] }

describe('news since the last digest', () => {
  it('is of papers that were in digests before, and was seen after the last one', () => {
    const news = held(told('a', 'code', 7), told('b', 'code', 6), told('x', 'code', 7))
    expect(newsSince(news, last)).toEqual([{ paperId: 'a', kind: 'code', version: null, revision: 2 }])
  })

  it('tells of a withdrawn paper nothing else, and that first', () => {
    const news = held(told('a', 'code', 7), told('b', 'version', 7, 3), told('b', 'withdrawn', 8))
    expect(newsSince(news, last).map(({ paperId, kind }) => [paperId, kind])).toEqual([
      ['b', 'withdrawn'],
      ['a', 'code'],
    ])
  })

  it('has what the last digest could not tell, once', () => {
    const untold = [{ paperId: 'a', kind: 'version' as const, version: 2, revision: 1 }]
    expect(newsSince(held(), { ...last, untold })).toEqual(untold)
    const news = held(told('a', 'version', 7, 3))
    expect(newsSince(news, { ...last, untold }).map(({ version }) => version)).toEqual([3])
  })

  it('is five things at most, whatever the order in which they came', () => {
    const many = 'gfedcba'.split('').map((id) => told(id, 'code', 7))
    expect(newsSince(held(...many), last).map(({ paperId }) => paperId)).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  it('is said in words', () => {
    expect(newsLine({ kind: 'withdrawn', version: null })).toBe('it was withdrawn')
    expect(newsLine({ kind: 'code', version: null })).toBe('code is available now')
    expect(newsLine({ kind: 'version', version: 3 })).toBe('version 3 is out')
  })
})
