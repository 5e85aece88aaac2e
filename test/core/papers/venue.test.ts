/** Which words of arXiv's records say that a paper was accepted, and which only sound like it. */
import { expect, test } from 'vitest'
import { readVenue } from '../../../src/core/papers/venue.ts'

const ACCEPTED: [comment: string, words: string][] = [
  ['Accepted at ICML 2026', 'accepted at ICML 2026'],
  ['Accepted to CVPR 2026.', 'accepted at CVPR 2026'],
  ['Accepted to CVPR26', 'accepted at CVPR 2026'],
  ["accepted by ICML'26", 'accepted at ICML 2026'],
  ['12 pages, 5 figures. Accepted by NeurIPS 2026 (Spotlight)', 'accepted at NeurIPS 2026'],
  ['ICML 2026', 'accepted at ICML 2026'],
  ['CVPR 2026 (Oral)', 'accepted at CVPR 2026'],
  ['ICLR 2027 camera ready', 'accepted at ICLR 2027'],
  ['Accepted at ICLR 2026. Conference paper. 10 pages main text; 34 pages total. 11 figures', 'accepted at ICLR 2026'],
  ['Accepted as a spotlight at NeurIPS 2026', 'accepted at NeurIPS 2026'],
  ['Accepted to the main conference of EMNLP 2026', 'accepted at EMNLP 2026'],
  ['Accepted to ACL 2026 Main Conference', 'accepted at ACL 2026'],
  ['Accepted to ACL 2026 Findings', 'accepted at Findings of ACL 2026'],
  ['Accepted to ACL 2026 (Findings)', 'accepted at Findings of ACL 2026'],
  ['Accepted to Findings of ACL 2026', 'accepted at Findings of ACL 2026'],
  ['Accepted for publication at AAAI 2027', 'accepted at AAAI 2027'],
  ['To appear in ECCV 2026; project page: https://example.org', 'accepted at ECCV 2026'],
  ['To appear in Proc. of CoRL 2026', 'accepted at CoRL 2026'],
  ['NIPS 2026', 'accepted at NeurIPS 2026'],
  ['NeurIPS 2026. First two authors contributed equally.', 'accepted at NeurIPS 2026'],
  ['Published at ICLR 2026', 'published at ICLR 2026'],
  ['Published as a conference paper at ICLR 2026', 'published at ICLR 2026'],
  ['Published in TMLR', 'published in TMLR'],
  [
    'Published in Transactions on Machine Learning Research (06/2026)',
    'published in Transactions on Machine Learning Research',
  ],
  ['Accepted by TPAMI 2026', 'accepted by TPAMI'],
  ['Accepted by IEEE Transactions on Robotics', 'accepted by IEEE Transactions on Robotics'],
  ['Accepted for publication in Nature Communications', 'accepted by Nature Communications'],
  ['Accepted at the ICML 2026 Workshop on Efficient Systems', 'accepted at a workshop of ICML 2026'],
]

test.each(ACCEPTED)('“%s” says that it was %s', (comment, words) => {
  expect(readVenue({ comment }, 2026)).toBe(words)
})

const SILENT = [
  '',
  '15 pages, 5 figures',
  'Submitted to ICML 2026',
  'ICML 2026 submission',
  'Under review at NeurIPS 2026',
  'Preprint. Under review.',
  'In submission to CVPR 2027',
  'Accepted manuscript under review',
  'An earlier revision of this paper was accepted at ICML 2026. Since then, it has been updated',
  'Extended version of our ICML 2026 paper',
  'This is an extended version of our CIKM 2026 paper',
  'Journal extension of CVPR 2026',
  'A preliminary version appeared at ICLR 2026',
  'Rejected from ICML 2026, resubmitted',
  'Withdrawn from ICLR 2026',
  '1st place solution of the CVPR 2026 challenge',
  'Technical report for the ECCV 2026 competition',
  'CVPR 2026 demo track',
  'Accepted to the ACL 2026 student research workshop',
  'Conditionally accepted at CHI 2026',
  'Accepted with minor revision at TMLR',
  'ICLR',
  'Uses the NeurIPS 2026 template',
  'We compare with the winners of ICML 2026',
  'Accepted at ICML 2024',
  'Accepted at ICML 2026; a companion to our CVPR 2026 paper',
  'Accepted at ICML 2026. Accepted at ICLR 2027.',
  'Accepted',
  'Accepted by the authors',
  'To appear',
  'To appear soon in a journal near you',
  'Published on GitHub',
  'Code published in our repository',
  'Data of NeurIPS 2026 papers',
  'The answer was accepted by Claude',
  'Accepted to ExampleConf',
  'Accepted at ACL Rolling Review',
  'Accepted to the AI4Science workshop',
  'Nature',
  'To appear in the Proceedings of a conference',
  'An analysis of reviews that were accepted at conferences',
  'Not accepted at ICML 2026',
  'Will be submitted to ICLR 2027',
  'Comment on arXiv:2601.00001, accepted at ICML 2026',
]

test.each(SILENT)('“%s” says nothing', (comment) => {
  expect(readVenue({ comment }, 2026)).toBeNull()
})

test.each([
  [
    'Proceedings of the 43rd International Conference on Machine Learning (ICML 2026), PMLR 300',
    'published at ICML 2026',
  ],
  ['IEEE/CVF CVPR, 2026, pp. 100-110', 'published at CVPR 2026'],
  ['Nature Communications 17, 1234 (2026)', 'published in Nature Communications'],
  ['Transactions on Machine Learning Research, 2026', 'published in Transactions on Machine Learning Research'],
  ['Physical Review Letters 136, 010001 (2026)', 'published in Physical Review Letters'],
  ['arXiv preprint arXiv:2604.00001', null],
  ['Submitted to Physical Review D', null],
  ['ICML 2026 Workshop on Agents', null],
  ['Nucl.Phys. B753 (2006) 295-312', null],
  ['CVPR 2024', null],
  ['', null],
])('the reference “%s” says %s', (journalRef, words) => {
  expect(readVenue({ journalRef }, 2026)).toBe(words)
})

test('a reference counts before a comment, which may be older', () => {
  expect(readVenue({ comment: 'Submitted to TMLR', journalRef: 'TMLR, 2026' }, 2026)).toBe('published in TMLR')
})
