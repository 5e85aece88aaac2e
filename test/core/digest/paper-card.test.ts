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
