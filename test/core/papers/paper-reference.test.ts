/** What people paste to name a paper. */
import { expect, test } from 'vitest'
import { readPaperReference } from '../../../src/core/papers/paper-reference.ts'

test.each([
  ['2604.11784', '2604.11784'],
  [' arXiv:2604.11784v3 ', '2604.11784'],
  ['https://arxiv.org/abs/2604.11784v2?context=cs#comments', '2604.11784'],
  ['arxiv.org/pdf/2604.11784.pdf', '2604.11784'],
  ['https://arxiv.org/html/2604.11784v1/', '2604.11784'],
  ['https://huggingface.co/papers/2604.11784', '2604.11784'],
  ['http://www.arxiv.org/abs/hep-ex/0307015', 'hep-ex/0307015'],
  ['hep-ex/0307015', 'hep-ex/0307015'],
  ['10.48550/arXiv.2604.11784', '2604.11784'],
  ['https://doi.org/10.48550/arXiv.2604.11784', '2604.11784'],
  ['10.1101/2026.04.01.123456', 'biorxiv:10.1101/2026.04.01.123456'],
  ['doi:10.64898/2026.04.01.123456', 'biorxiv:10.64898/2026.04.01.123456'],
  ['https://doi.org/10.1101/2026.04.01.26123456', 'medrxiv:10.1101/2026.04.01.26123456'],
  ['https://www.biorxiv.org/content/10.1101/2026.04.01.123456v2.full', 'biorxiv:10.1101/2026.04.01.123456'],
  ['https://www.biorxiv.org/content/10.1101/339747v1', 'biorxiv:10.1101/339747'],
  ['https://www.medrxiv.org/content/10.64898/2026.04.01.26123456v1.full.pdf', 'medrxiv:10.64898/2026.04.01.26123456'],
])('%s is a paper', (typed, id) => {
  expect(readPaperReference(typed)).toBe(id)
})

test.each([
  '',
  '2613.11784',
  'https://example.org/abs/2604.11784',
  'https://arxiv.org.example.org/abs/2604.11784',
  'https://arxiv.org/abs/2604.11784/../../x',
  'javascript:2604.11784',
  `https://arxiv.org/abs/${'2604.11784'.repeat(100)}`,
  'file:0123456789abcdef',
  '2604.11784\n2604.11785',
  '10.1038/s41586-020-2649-2',
  'https://example.org/content/10.1101/2026.04.01.123456v1',
])('%j is none', (typed) => {
  expect(readPaperReference(typed)).toBeNull()
})
