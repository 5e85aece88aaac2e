/** What a library suggests: topics, keywords and authors, with how often each is there. */
import { describe, expect, test } from 'vitest'
import { readLibrary } from '../../../src/core/library/library.ts'
import { type LibraryJudge, lendableIds, suggestByLibrary } from '../../../src/core/library/library-suggestions.ts'
import { SHIPPED_MODEL, scoreTopics } from '../../../src/core/relevance/relevance.ts'
import { DEFAULT_TOPICS } from '../../../src/core/topics.ts'

const JUDGE: LibraryJudge = {
  topics: DEFAULT_TOPICS.all,
  score: scoreTopics,
  vocabulary: SHIPPED_MODEL.vocabulary,
  measured: SHIPPED_MODEL.measured,
  judged: SHIPPED_MODEL.fittedOn.judged.length,
}

interface Given {
  title: string
  year?: number
  author?: string
  abstract?: string
}
const bibOf = (all: Given[]): string =>
  all
    .map((fields, n) => {
      const lines = Object.entries(fields).map(([name, value]) => `  ${name} = {${value}},`)
      return `@article{a${n},\n${lines.join('\n')}\n}`
    })
    .join('\n')
const suggest = (all: Given[]) => suggestByLibrary(readLibrary(bibOf(all)), [], JUDGE)
const many = (count: number, of: (n: number) => Given): Given[] => Array.from({ length: count }, (_, n) => of(n))

describe('topics', () => {
  test('are those that titles alone are about, the commonest first and ticked, with how many papers each is in', () => {
    const { used, topics } = suggest([
      ...many(8, (n) => ({ title: `Robot manipulation policies for dexterous grasping, part ${n}` })),
      ...many(3, (n) => ({ title: `Text-to-speech synthesis with expressive voices, part ${n}` })),
    ])
    expect(used).toBe(11)
    expect(topics.slice(0, 2)).toEqual([
      { slug: 'robotics', entries: 8, chosen: true },
      { slug: 'speech-audio', entries: 3, chosen: true },
    ])
  })

  test('count recent papers for more', () => {
    const robots = (year: number) =>
      many(5, (n) => ({ title: `Robot manipulation policies for grasping, part ${n}`, year }))
    const speech = (year: number) =>
      many(5, (n) => ({ title: `Text-to-speech synthesis with voices, part ${n}`, year }))
    expect(suggest([...robots(2008), ...speech(2024)]).topics[0]?.slug).toBe('speech-audio')
    expect(suggest([...robots(2024), ...speech(2008)]).topics[0]?.slug).toBe('robotics')
  })

  test('are none where papers are about nothing that is offered', () => {
    expect(suggest(many(6, (n) => ({ title: `Medieval charters of the abbey, volume ${n}` }))).topics).toEqual([])
  })
})

describe('keywords', () => {
  test('are phrases that the papers share and few others have, as they are written, and not what a topic finds', () => {
    const { keywords } = suggest([
      ...many(5, (n) => ({
        title: n % 2 === 0 ? `Garden Path Parsing of Sentence ${n}` : `What a Garden Path Tells, Part ${n}`,
        abstract: 'A language model reads each garden-path sentence with a robot manipulation policy.',
      })),
      ...many(5, (n) => ({ title: `Robot Manipulation ${n} With a Large Language Model` })),
    ])
    const found = keywords.map(({ keyword }) => keyword)
    expect(found).toContain('garden-path')
    expect(found.join('; ')).not.toMatch(/language model|robot manipulation|large/i)
    expect(keywords.find(({ keyword }) => keyword === 'garden-path')).toMatchObject({ entries: 5, chosen: true })
  })

  test('are those that the owner gave, too, single words among them', () => {
    const bib = Array.from(
      { length: 4 },
      (_, n) => `@misc{a${n}, title = {Essay ${n}}, keywords = {bryology; herbarium sheets}}`,
    )
    const { keywords } = suggestByLibrary(readLibrary(bib.join('\n')), [], JUDGE)
    expect(keywords.map(({ keyword }) => keyword).sort()).toEqual(['bryology', 'herbarium sheets'])
  })
})

describe('authors', () => {
  const by = (author: string, count: number) =>
    many(count, (n) => ({ title: `On ${author.replace(/\W/g, ' ')} ${n}`, author }))

  test('are those of several papers by their full names, however these are written', () => {
    const { authors } = suggest([
      ...by('Byron, Ada K.', 2),
      ...by('Ada Byron and Hopper, Grace', 3),
      ...by('Hopper, G.', 2),
      ...by('Noether, Emmy', 2),
      ...by('Wang, J.', 9),
    ])
    // "J. Wang" may be anybody, and two papers of Noether's are not enough.
    expect(authors).toEqual([
      { name: 'Ada Byron', entries: 5, chosen: true },
      { name: 'Grace Hopper', entries: 5, chosen: true },
    ])
  })

  test('do not get the papers of initials that fit two of them', () => {
    const { authors } = suggest([...by('Jie Wang', 3), ...by('Jun Wang', 3), ...by('J. Wang', 3)])
    expect(authors.map(({ name, entries }) => `${name} ${entries}`)).toEqual(['Jie Wang 3', 'Jun Wang 3'])
  })
})

test('papers of the archive lend what an entry that names them has not, and others are counted', () => {
  const reading = readLibrary('2604.11784\nhttps://arxiv.org/abs/2604.11785\n2604.11786')
  expect(lendableIds(reading)).toEqual(['2604.11784', '2604.11785', '2604.11786'])
  const paper = { title: 'Robot manipulation policies', abstract: 'For dexterous grasping.', authors: ['Ada Byron'] }
  const held = ['2604.11784', '2604.11785'].map((id) => ({ ...paper, id }))
  const { read, used, notHeld, topics, authors } = suggestByLibrary(reading, held, JUDGE)
  expect({ read, used, notHeld }).toEqual({ read: 3, used: 2, notHeld: 1 })
  expect([topics[0]?.slug, authors[0]?.name]).toEqual(['robotics', 'Ada Byron'])
})

test('of a large library the newest are used', () => {
  const { read, used, topics } = suggest([
    ...many(2_000, (n) => ({ title: `Medieval charters of the abbey, volume ${n}`, year: 1990 })),
    ...many(1_500, (n) => ({ title: `Robot manipulation, part ${n}`, year: 2020 })),
  ])
  expect([read, used]).toEqual([3_500, 1_500])
  expect(topics[0]).toMatchObject({ slug: 'robotics', entries: 1_500 })
})
