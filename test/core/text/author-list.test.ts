/** Author lists as sources write them. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readAnnouncement } from '../../../src/core/papers/arxiv-announcement.ts'
import { readFlatRow } from '../../../src/core/papers/paper-row.ts'
import { readAuthorEntries, readAuthorLine } from '../../../src/core/text/author-list.ts'
import { isFollowed, nameWords } from '../../../src/core/text/author-name.ts'

describe('a line of authors', () => {
  test.each([
    ['', []],
    ['Ada Byron', ['Ada Byron']],
    ['Ada Byron, Grace Hopper,Lin Chen', ['Ada Byron', 'Grace Hopper', 'Lin Chen']],
    ['Ada Byron and Grace Hopper', ['Ada Byron', 'Grace Hopper']],
    ['Ada Byron & Grace Hopper', ['Ada Byron', 'Grace Hopper']],
    ['Ada Byron, Grace Hopper, and Lin Chen', ['Ada Byron', 'Grace Hopper', 'Lin Chen']],
    ['Ada Byron, Grace Hopper and Lin Chen', ['Ada Byron', 'Grace Hopper', 'Lin Chen']],
    ['Ada Byron; Grace Hopper', ['Ada Byron', 'Grace Hopper']],
    ['Byron, Ada; Hopper, Grace M.', ['Ada Byron', 'Grace M. Hopper']],
    ['Byron, Ada', ['Ada Byron']],
    ['Byron, Ada and Hopper, Grace', ['Ada Byron', 'Grace Hopper']],
    ['Byron, A., Hopper, G. M., & van den Berg, J.-P.', ['A. Byron', 'G. M. Hopper', 'J.-P. van den Berg']],
    ['John Smith, Jr., Ada Byron', ['John Smith, Jr.', 'Ada Byron']],
    ['Smith, John, Jr.; Byron, Ada', ['John Smith, Jr.', 'Ada Byron']],
    ['Example Collaboration: Ada Byron, Grace Hopper', ['Example Collaboration', 'Ada Byron', 'Grace Hopper']],
    ['Example Collaboration: A. Byron; G. Hopper', ['Example Collaboration', 'A. Byron', 'G. Hopper']],
    ['The ATLAS and CMS Collaborations', ['The ATLAS and CMS Collaborations']],
    ['Ada Byron, for the ATLAS Collaboration', ['Ada Byron', 'ATLAS Collaboration']],
    ['The ATLAS Collaboration, , ', ['The ATLAS Collaboration']],
    ['Ada Byron (1), Grace Hopper (2) ((1) MIT, (2) ETH)', ['Ada Byron', 'Grace Hopper']],
    ['Ada Byron (University, of London), Lin Chen (2)', ['Ada Byron', 'Lin Chen']],
    ['Ada Byron (1 and 2) and Lin Chen (2) ((1) MIT, Cambridge (MA), (2) ETH)', ['Ada Byron', 'Lin Chen']],
    ['Ada Byron1,2, Grace Hopper*, Lin Chen†', ['Ada Byron', 'Grace Hopper', 'Lin Chen']],
    ['Ada Byron$^{1}$ and Grace Hopper', ['Ada Byron', 'Grace Hopper']],
    ['Authors: Ada Byron, Grace Hopper, et al.', ['Ada Byron', 'Grace Hopper']],
    ["Jos\\'e Garc\\'{\\i}a, \\L{}ukasz Kr\\'ol, Bj\\\"orn {\\AA}s", ['José García', 'Łukasz Król', 'Björn Ås']],
    ['Unclosed (bracket, Ada Byron', ['Unclosed (bracket, Ada Byron']],
    ['Leland Anders, Randal Andersen', ['Leland Anders', 'Randal Andersen']],
    // Words of lists are names in capitals.
    ['For Chen and Lin Chen', ['For Chen', 'Lin Chen']],
    ['For the ATLAS Collaboration', ['ATLAS Collaboration']],
    ['Others, Ada; Chen, Lin', ['Ada Others', 'Lin Chen']],
    ['Ada Byron and others', ['Ada Byron']],
    ['Rahman, Md and Chen, Iii', ['Md Rahman', 'Iii Chen']],
    ['Ada Byron, III, Lin Chen, MD', ['Ada Byron, III', 'Lin Chen, MD']],
  ])('%j has %j', (line, names) => {
    expect(readAuthorLine(line)).toEqual(names)
  })

  const name = fc
    .stringMatching(/^[A-Z][a-z]{2,8} (?:[A-Z]\. )?[A-Z][a-zéü]{2,8}$/)
    // A degree is nobody's name.
    .filter((one) => !/\bPhd\b/.test(one))
  const names = fc.array(name, { minLength: 1, maxLength: 6 })
  const inverted = (one: string): string => one.replace(/^(.*) (\S+)$/, '$2, $1')
  const FORMS: Record<string, (names: string[]) => string> = {
    'by comma': (all) => all.join(', '),
    'by semicolon': (all) => all.join('; '),
    'by "and"': (all) => all.join(' and '),
    'by comma and ", and"': (all) =>
      all.length === 1 ? all.join('') : `${all.slice(0, -1).join(', ')}, and ${all.at(-1)}`,
    'with numbers of affiliations': (all) =>
      `${all.map((one, at) => `${one} (${at + 1})`).join(', ')} (${all.map((_, at) => `(${at + 1}) ETH, Zurich`).join(', ')})`,
    'surname first, by semicolon': (all) => (all.length === 1 ? `${all[0]}` : all.map(inverted).join('; ')),
    'surname first, as in BibTeX': (all) => (all.length === 1 ? `${all[0]}` : all.map(inverted).join(' and ')),
  }
  test.each(Object.entries(FORMS))('comes back as the names that it was made of, %s', (_, write) => {
    fc.assert(
      fc.property(names, (all) => {
        expect(readAuthorLine(write(all))).toEqual(all)
      }),
    )
  })

  test('finds a followed author in every form, with a collaboration before them', () => {
    fc.assert(
      fc.property(names, fc.nat(), fc.constantFrom(...Object.values(FORMS)), (all, at, write) => {
        const followed = all[at % all.length] ?? ''
        const found = readAuthorLine(`Example Collaboration: ${write(all)}`)
        expect(found.some((one) => isFollowed(nameWords(followed), nameWords(one)))).toBe(true)
      }),
    )
  })

  test('is read in time that grows with its length', () => {
    for (const hostile of ['(', '((', ')', '{', 'a (', '(a) ', ' and ', ', ', ': ', '; '])
      expect(readAuthorLine(hostile.repeat(50_000)).length).toBeLessThan(2)
  })
})

describe('a list of authors', () => {
  test.each([
    [
      ['Ada Byron', 'Hopper, Grace'],
      ['Ada Byron', 'Grace Hopper'],
    ],
    [
      ['Ada Byron (MIT)', 'Grace Hopper (ETH)'],
      ['Ada Byron', 'Grace Hopper'],
    ],
    [
      ['Ada Byron and Grace Hopper', 'Lin Chen'],
      ['Ada Byron', 'Grace Hopper', 'Lin Chen'],
    ],
    [['Ada Byron, Grace Hopper, Lin Chen'], ['Ada Byron', 'Grace Hopper', 'Lin Chen']],
    [
      ['Ada Byron; Grace Hopper', ''],
      ['Ada Byron', 'Grace Hopper'],
    ],
  ])('%j has %j', (entries, names) => {
    expect(readAuthorEntries(entries)).toEqual(names)
  })
})

test('files and announcements of arXiv are read by the same rules', () => {
  const authors = 'Ada Byron (1) and Grace Hopper (2) ((1) MIT, (2) ETH)'
  const context = { listDay: '2026-04-14', observedAt: null, today: '2026-04-14' }
  expect(readFlatRow({ title: 'On Means', authors }, context).paper.authors).toEqual(['Ada Byron', 'Grace Hopper'])
  const entry = {
    id: 'oai:arXiv.org:2604.01234v1',
    title: 'On Means',
    summary: 'arXiv:2604.01234v1 Announce Type: new \nAbstract: We look at means.',
    creators: authors,
    categories: ['cs.LG'],
    published: '2026-04-14T00:00:00-04:00',
    announceType: 'new',
  }
  const { paper } = readAnnouncement(entry, new Date('2026-04-14T05:00:00Z')).listing
  expect(paper.authors).toEqual(['Ada Byron', 'Grace Hopper'])
})
