/** What topics find among many papers, and what of it should be looked at. */
import { describe, expect, it } from 'vitest'
import { createTopicStudy } from '../../../src/core/relevance/topic-study.ts'

const topic = (slug: string, strong: string[], weak: string[] = []) => ({
  slug,
  label: slug,
  strong,
  weak,
  categories: [],
})
const paper = (id: number, title: string) => ({
  id: `2604.${10_000 + id}`,
  title,
  abstract: '',
  authors: [],
  publishedOn: null,
  categories: [],
  codeUrl: null,
  projectUrl: null,
  discussionUrl: null,
})

/** Every paper goes to the topics whose slugs its title names. */
const study = (titles: string[], topics: ReturnType<typeof topic>[], judged = new Map()) => {
  const found = createTopicStudy(
    topics,
    ({ title }) => topics.filter(({ slug }) => title.includes(slug)).map(({ slug }) => ({ topic: slug, score: 0.9 })),
    topics.map(({ slug }) => slug),
    judged,
  )
  for (const [n, title] of titles.entries()) found.add(paper(n, title), n % 2 === 0 ? '2026-04-01' : '2026-04-14')
  return found.result()
}
const times = (count: number, title: string): string[] => Array.from({ length: count }, () => title)

describe('a study of topics', () => {
  it('counts papers a week, and names phrases that none holds and that many hold', () => {
    const { papers, weeks, findings } = study(
      [...times(20, 'On cats and mice'), ...times(80, 'On mice')],
      [topic('cats', ['cat', 'lion'], ['mouse', 'mice'])],
    )
    expect([papers, weeks]).toEqual([100, 2])
    expect(findings).toEqual([
      expect.objectContaining({
        papers: 20,
        perWeek: 10,
        unused: ['lion', 'mouse'],
        broad: [
          { phrase: 'cat', share: 0.2 },
          { phrase: 'mice', share: 1 },
        ],
        warnings: ['its strong phrase “cat” stands in 20 % of all papers'],
      }),
    ])
  })

  it('warns of a topic that finds nothing, a large part of everything, or what another finds', () => {
    const { findings } = study(
      [...times(30, 'dogs'), ...times(5, 'dogs wolves'), ...times(65, 'other')],
      [topic('dogs', ['hound']), topic('wolves', ['pack']), topic('foxes', ['vixen'])],
    )
    expect(findings.map(({ warnings }) => warnings)).toEqual([
      ['it finds 35 % of all papers'],
      ['100 % of its papers are of dogs, too'],
      ['it finds no paper'],
    ])
    expect(findings[1]?.shared).toEqual([{ slug: 'dogs', share: 1 }])
  })

  it('warns of nothing among few papers, save by what was judged', () => {
    const judged = new Map([
      ['cats', { relevant: ['2604.10000', '2604.10001', '2604.99999'], irrelevant: ['2604.10002'] }],
    ])
    const { findings } = study(['cats', 'dogs', 'cats'], [topic('cats', ['cat']), topic('birds', ['bird'])], judged)
    expect(findings[0]?.judged).toEqual({ held: 3, precision: 0.5, recall: 0.5 })
    expect(findings.map(({ warnings }) => warnings)).toEqual([[], []])
    const worse = new Map([['cats', { relevant: ['2604.10001'], irrelevant: [] }]])
    expect(study(['cats', 'dogs'], [topic('cats', ['cat'])], worse).findings[0]?.warnings).toEqual([
      'its recall by your examples is 0 %',
    ])
  })

  it('of no papers is empty', () => {
    expect(study([], [topic('cats', ['cat'])])).toMatchObject({
      papers: 0,
      weeks: 1,
      findings: [{ papers: 0, warnings: [] }],
    })
  })
})
