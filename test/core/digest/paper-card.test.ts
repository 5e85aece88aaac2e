import { describe, expect, it } from 'vitest'
import { cardOf } from '../../../src/core/digest/paper-card.ts'
import type { Paper } from '../../../src/core/papers/paper.ts'

const paper: Paper = {
  id: '2604.00001',
  title: 'M^3: {\\tau} of Things',
  abstract: 'One sentence with 45\\%. Another.',
  authors: ['Ada L.', 'Ben M.', 'Erd\\H{o}s', 'Dan N.'],
  publishedOn: '2026-04-01',
  categories: ['cs.CL'],
  codeUrl: 'https://example.org/code',
  projectUrl: 'https://example.org/project',
  discussionUrl: 'https://huggingface.co/papers/2604.00001',
}
const context = { reason: 'because', upvotes: 12, comments: 5 }

describe('the card of a paper', () => {
  it('shows title, abstract and authors without LaTeX', () => {
    expect(cardOf(paper, context)).toMatchObject({
      id: '2604.00001',
      title: 'M³: τ of Things',
      url: 'https://arxiv.org/abs/2604.00001',
      reason: 'because',
      excerpt: 'One sentence with 45%. Another.',
      authors: 'Ada L., Ben M., Erdős and Dan N.',
      upvotes: 12,
    })
  })

  it('links PDF, code, project and discussion, in this order, with the number of comments', () => {
    expect(cardOf(paper, context).links).toEqual([
      { label: 'PDF', url: 'https://arxiv.org/pdf/2604.00001' },
      { label: 'Code', url: 'https://example.org/code' },
      { label: 'Project', url: 'https://example.org/project' },
      { label: 'Discussion (5)', url: 'https://huggingface.co/papers/2604.00001' },
    ])
  })

  const linksOf = (change: Partial<Paper>) =>
    cardOf({ ...paper, ...change }, context)
      .links.slice(1, -1)
      .map(({ label, url }) => `${label}: ${url}`)
  const code = 'https://github.com/ada/Loom'

  it.each([
    ['https://arxiv.org/abs/2604.00001v2'],
    ['https://www.arxiv.org/pdf/2604.00001'],
    ['https://doi.org/10.48550/arXiv.2604.00001'],
    ['https://github.com/ada/loom/'],
    ['https://github.com/ada/loom/tree/main/docs'],
    ['https://huggingface.co/papers/2604.00001/'],
  ])('leaves out a project that is only where another link leads: %s', (projectUrl) => {
    expect(linksOf({ codeUrl: code, projectUrl })).toEqual([`Code: ${code}`])
  })

  it.each([
    ['Code', 'https://github.com/ada/loom'],
    ['Data', 'https://huggingface.co/datasets/ada/loom'],
    ['Project', 'https://ada.github.io/loom'],
    ['Project', 'https://github.com/ada'],
    ['Project', 'https://arxiv.org/abs/2501.00002'],
  ])('says %s of a project at %s', (label, projectUrl) => {
    expect(linksOf({ codeUrl: null, projectUrl })).toEqual([`${label}: ${projectUrl}`])
  })

  it('calls a second repository the project', () => {
    const projectUrl = 'https://github.com/ada/weft'
    expect(linksOf({ codeUrl: code, projectUrl })).toEqual([`Code: ${code}`, `Project: ${projectUrl}`])
  })

  it('says the year of a paper that was published long before it is shown', () => {
    const authorsOf = (publishedOn: string | null, authors = paper.authors.slice(0, 2), id = 'file:00') =>
      cardOf({ ...paper, id, authors, publishedOn }, { ...context, shownOn: '2026-04-21' }).authors
    expect(authorsOf('2022-11-30')).toBe('Ada L. and Ben M. · 2022')
    expect(authorsOf('2026-01-20')).toBe('Ada L. and Ben M. · 2026')
    expect(authorsOf('2026-01-21')).toBe('Ada L. and Ben M.')
    expect(authorsOf(null)).toBe('Ada L. and Ben M.')
    expect(authorsOf('2022-11-30', [])).toBe('First published in 2022')
    // An id of arXiv tells the month, whichever version a source dates the paper by.
    expect(authorsOf('2026-04-16', ['Ada L.'], '2211.16780')).toBe('Ada L. · 2022')
    expect(authorsOf(null, ['Ada L.'], '2601.00001')).toBe('Ada L.')
  })

  it('gives no number where nobody has commented or nobody counts', () => {
    for (const comments of [0, null])
      expect(cardOf(paper, { ...context, comments }).links.at(-1)?.label).toBe('Discussion')
  })

  it('leads nowhere for a paper that is neither at arXiv nor discussed', () => {
    const card = cardOf({ ...paper, id: 'file:00', codeUrl: null, projectUrl: null, discussionUrl: null }, context)
    expect([card.url, card.links]).toEqual([null, []])
  })

  it('leads a paper that is not at arXiv to its discussion', () => {
    expect(cardOf({ ...paper, id: 'file:00' }, context).url).toBe(paper.discussionUrl)
  })
})
