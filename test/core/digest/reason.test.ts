import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DigestEntry } from '../../../src/core/digest/digest.ts'
import { dayReasonOf, digestReasonOf, type ListDayContext } from '../../../src/core/digest/reason.ts'

const entry = (more: Partial<DigestEntry> = {}): DigestEntry => ({
  paperId: '2604.11784',
  revision: 1,
  topic: 'diffusion-lm',
  matches: [
    { words: 'masked diffusion', field: 'title' },
    { words: 'denoising', field: 'abstract' },
  ],
  upvotes: 112,
  comments: 3,
  observedAt: '2026-04-15T09:00:00.000Z',
  hourKnown: true,
  topPercent: 8,
  ...more,
})

/** With no-break spaces as plain ones, for reading. */
const plain = (text: string): string => text.replaceAll('\u00a0', ' ')

describe('the reason of a paper in a digest', () => {
  it('names topic, words and rank, and keeps the rank together', () => {
    expect(digestReasonOf(entry())).toBe(
      'Diffusion language models: “masked diffusion” in the title, “denoising” in the abstract; ' +
        'top\u00a08%\u00a0of\u00a0the\u00a0month',
    )
  })

  it('leaves out the topic under a heading that names it', () => {
    expect(plain(digestReasonOf(entry(), true))).toBe(
      '“masked diffusion” in the title, “denoising” in the abstract; top 8% of the month',
    )
    expect(plain(digestReasonOf(entry({ matches: [] }), true))).toBe('Top 8% of the month')
    const author = { topic: 'author:j wang', matches: [{ words: 'Jie Wang', field: 'authors' as const }] }
    expect(plain(digestReasonOf(entry(author), true))).toBe('By Jie Wang; top 8% of the month')
  })

  it('says after the rank what its reader seems to like in it, where a taste lifted it', () => {
    expect(plain(digestReasonOf(entry({ liked: ['“small models”', 'papers by Ada Lovelace'] })))).toMatch(
      /top 8% of the month; you seem to like “small models” and papers by Ada Lovelace$/,
    )
    expect(plain(digestReasonOf(entry({ matches: [], topPercent: null, liked: ['“small models”'] }), true))).toBe(
      'You seem to like “small models”',
    )
    expect(digestReasonOf(entry({ liked: [] }))).toBe(digestReasonOf(entry()))
  })

  it('says no upvotes, which stand beside it, and claims no rank that is not known', () => {
    expect(digestReasonOf(entry())).not.toContain('upvote')
    expect(plain(digestReasonOf(entry({ topPercent: null })))).toMatch(/in the abstract$/)
  })

  it('joins the words of one field, those of the title first', () => {
    const of = (...fields: ('title' | 'abstract')[]): string =>
      plain(
        digestReasonOf(entry({ matches: fields.map((field, at) => ({ words: `w${at}`, field })), topPercent: null })),
      )
    expect(of('title', 'title', 'title')).toBe('Diffusion language models: “w0”, “w1” and “w2” in the title')
    expect(of('abstract', 'title', 'abstract')).toBe(
      'Diffusion language models: “w1” in the title, “w0” and “w2” in the abstract',
    )
    expect(of()).toBe('Diffusion language models')
  })

  it('names a keyword’s words, and an author as the paper has them', () => {
    const keyword = { topic: 'keyword:sheet music', matches: [{ words: 'Sheet-Music', field: 'title' as const }] }
    expect(plain(digestReasonOf(entry(keyword)))).toBe('Keyword: “Sheet-Music” in the title; top 8% of the month')
    const author = { topic: 'author:yann lecun', matches: [{ words: 'Yann LeCun', field: 'authors' as const }] }
    expect(plain(digestReasonOf(entry(author)))).toBe('By Yann LeCun; top 8% of the month')
  })

  it('of a trending extra is the trend alone', () => {
    const trendingExtras = { topic: null, matches: [] }
    expect(plain(digestReasonOf(entry(trendingExtras)))).toBe('Top 8% of the month’s papers')
    expect(plain(digestReasonOf(entry({ ...trendingExtras, topPercent: null })))).toBe(
      'Among the most upvoted of its age',
    )
  })

  it('names the slug of a topic that is no longer offered', () => {
    expect(plain(digestReasonOf(entry({ topic: 'old-topic' })))).toMatch(/^old-topic: “masked diffusion”/)
  })

  it('ends with the readers who voted and the curator who picked it', () => {
    const pick = { by: 'Ada Lovelace', note: 'Read it for the ablation alone' }
    const said = '7 readers here voted for it; picked by Ada Lovelace: “Read it for the ablation alone”'
    const of = (more: Partial<DigestEntry>, underHeading = false) =>
      plain(digestReasonOf(entry({ readers: 7, pick, matches: [], ...more }), underHeading))
    expect(of({})).toBe(`Diffusion language models: top 8% of the month; ${said}`)
    expect(of({ topPercent: null })).toBe(`Diffusion language models: ${said}`)
    expect(of({ topPercent: null }, true)).toBe(said)
    expect(of({ topic: null })).toBe(`Top 8% of the month’s papers; ${said}`)
    const dayRank = { listDay: '2026-04-17', rank: 2, shared: false, counted: 40, listed: 40 }
    expect(of({ topic: 'trending', dayRank, topPercent: null })).toBe(
      `2nd most upvoted of the 40 papers listed on Friday 17 April; ${said}`,
    )
    const alone = entry({ matches: [], topPercent: null, pick: { ...pick, note: null } })
    expect(plain(digestReasonOf(alone, true))).toBe('Picked by Ada Lovelace')
    expect(of({ topPercent: null, readers: 1_234, pick: { by: 'Ada', note: null, pinned: true } }, true)).toBe(
      '1,234 readers here voted for it; pinned by Ada',
    )
  })

  it('is one line that ends without a stop or a loose separator', () => {
    const words = fc.string({ unit: 'grapheme', minLength: 1 }).map((text) => text.replace(/\s/g, '') || 'x')
    const any = fc.record({
      matches: fc.array(fc.record({ words, field: fc.constantFrom('title' as const, 'abstract' as const) }), {
        maxLength: 3,
      }),
      topPercent: fc.option(fc.integer({ min: 1, max: 50 })),
    })
    fc.assert(
      fc.property(any, (more) => {
        const reason = digestReasonOf(entry(more))
        expect(reason).toMatch(/^Diffusion/)
        expect(plain(reason)).not.toMatch(/[;:,.] *$| {2}|null|undefined|NaN/)
        for (const match of more.matches) expect(plain(reason)).toContain(`“${match.words}”`)
      }),
    )
  })
})

describe('the reason of a paper on the page of its day', () => {
  const standing = (more: Partial<ListDayContext> = {}): ListDayContext => ({
    topic: 'gui-agents',
    matches: [{ words: 'GUI agents', field: 'title' }],
    upvotes: 112,
    counts: [112, ...Array.from({ length: 25 }, (_, at) => at + 1)],
    total: 26,
    ...more,
  })

  it('says which paper is the most upvoted', () => {
    expect(dayReasonOf(standing())).toBe(
      'GUI, web & computer-use agents: “GUI agents” in the title; most upvoted of the 26 listed\u00a0this\u00a0day',
    )
  })

  it('gives the others their place, on one line', () => {
    expect(dayReasonOf(standing({ upvotes: 25 }))).toBe(
      'GUI, web & computer-use agents: “GUI agents” in the title; 2nd\u00a0of\u00a026',
    )
  })

  it('writes ordinals as they are said', () => {
    const counts = Array.from({ length: 130 }, (_, at) => at + 1)
    const place = (rank: number): string | undefined =>
      plain(dayReasonOf(standing({ counts, total: 130, upvotes: 131 - rank }))).split('; ')[1]
    for (const said of [
      '2nd',
      '3rd',
      '4th',
      '11th',
      '12th',
      '13th',
      '21st',
      '22nd',
      '101st',
      '111th',
      '112th',
      '123rd',
    ]) {
      expect(place(Number.parseInt(said, 10))).toBe(`${said} of 130`)
    }
  })

  it('says that a place is shared, and calls none of two equals the most upvoted', () => {
    const counts = [9, 9, 4, 4, 1]
    const place = (upvotes: number): string | undefined =>
      plain(dayReasonOf(standing({ counts, total: 5, upvotes }))).split('; ')[1]
    expect([9, 4, 1].map(place)).toEqual(['joint 1st of 5', 'joint 3rd of 5', '5th of 5'])
  })

  it('speaks of the counted papers alone when some have no count', () => {
    expect(plain(dayReasonOf(standing({ total: 30 })))).toMatch(/; most upvoted of 26 with counts$/)
    expect(plain(dayReasonOf(standing({ total: 30, upvotes: 25 })))).toMatch(/; 2nd of 26 with counts$/)
  })

  it('claims no place for a paper without upvotes, or alone on its day', () => {
    for (const more of [{ upvotes: null }, { upvotes: 0, counts: [0, 5] }, { upvotes: 5, counts: [5], total: 1 }]) {
      expect(plain(dayReasonOf(standing(more)))).toBe('GUI, web & computer-use agents: “GUI agents” in the title')
    }
  })

  it('stands without a topic, and is empty when nothing is known', () => {
    expect(plain(dayReasonOf(standing({ topic: null, matches: [] })))).toBe('most upvoted of the 26 listed this day')
    expect(dayReasonOf(standing({ topic: null, matches: [], upvotes: null }))).toBe('')
  })
})
