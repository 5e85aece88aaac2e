/** A file of one's own topics: what it makes, and that every fault in it is named at once. */
import { describe, expect, it } from 'vitest'
import { readTopicFile } from '../../src/core/topic-file.ts'
import { DEFAULT_TOPICS } from '../../src/core/topics.ts'

const topic = (slug: string, more: object = {}) => ({ slug, label: `Of ${slug}`, strong: [`${slug} phrase`], ...more })
const fileOf = (topics: object[], more: object = {}) =>
  JSON.stringify({ groups: [{ label: 'A group', topics }], ...more })

const setOf = (text: string) => {
  const read = readTopicFile(text)
  if ('faults' in read) throw new Error(read.faults.join('\n'))
  return read
}
const faultsOf = (text: string): string[] => {
  const read = readTopicFile(text)
  return 'faults' in read ? read.faults : []
}

describe('a topics file', () => {
  it('replaces the topics that ship, and may leave out what is optional', () => {
    const { topics, examples } = setOf(fileOf([topic('gene-editing'), topic('microbiome', { weak: ['gut'] })]))
    expect(topics.all.map(({ slug }) => slug)).toEqual(['gene-editing', 'microbiome'])
    expect(topics.bySlug('gene-editing')).toMatchObject({ strong: ['gene-editing phrase'], weak: [], categories: [] })
    expect(topics.bySlug('robotics')).toBeUndefined()
    expect(examples.size).toBe(0)
  })

  it('is added to the topics that ship where it says so: one of the same slug in its place, others where their group is', () => {
    const { topics } = setOf(
      JSON.stringify({
        extends: 'default',
        without: ['recsys'],
        groups: [
          {
            label: 'Robots, science & practice',
            topics: [topic('soft-robots'), topic('robotics', { label: 'Robots' })],
          },
          { label: 'Biology', topics: [topic('gene-editing')] },
        ],
      }),
    )
    expect(topics.all).toHaveLength(38 - 1 + 2)
    expect(topics.groups.map(({ label }) => label)).toEqual([
      ...DEFAULT_TOPICS.groups.map(({ label }) => label),
      'Biology',
    ])
    expect(topics.bySlug('robotics')?.label).toBe('Robots')
    expect(topics.bySlug('recsys')).toBeUndefined()
    expect(topics.groups[3]?.topics.at(-1)?.slug).toBe('soft-robots')
  })

  it('may leave topics out and add none', () => {
    expect(setOf('{"extends":"default","without":["recsys"]}').topics.all).toHaveLength(37)
  })

  it('knows the former slugs of a topic, and the papers that it judges', () => {
    const { topics, examples } = setOf(
      fileOf([
        topic('genome-editing', {
          formerly: ['gene-editing'],
          examples: { relevant: ['biorxiv:10.1101/2026.04.01.123456'], irrelevant: ['2604.00001'] },
        }),
      ]),
    )
    expect(topics.byFormerSlug('gene-editing')?.slug).toBe('genome-editing')
    expect(topics.bySlug('gene-editing')).toBeUndefined()
    expect(examples.get('genome-editing')).toEqual({
      relevant: ['biorxiv:10.1101/2026.04.01.123456'],
      irrelevant: ['2604.00001'],
    })
  })

  it('has all of its faults named at once, each with its place and what would be right', () => {
    const faults = faultsOf(
      JSON.stringify({
        extends: 'all',
        topics: [],
        groups: [
          {
            label: 'One',
            topics: [
              { slug: 'Gene_Editing', label: '', strong: ['crispr', '+++', 'the', 'CRISPRs'], colour: 'red' },
              { slug: 'trending', label: 'Trends', strong: [] },
              topic('a', { strong: ['crispr', 'x'.repeat(81), 'one two three four five six seven eight nine'] }),
              topic('a', { examples: ['2604.00001'] }),
              7,
            ],
          },
          { label: 'one', topics: [] },
        ],
      }),
    )
    expect(faults).toEqual([
      'topics: is no field of this; there are extends, without, groups, comment',
      'extends: is "default" or left out',
      'groups[0].topics[0].colour: is no field of this; there are slug, label, strong, weak, categories, formerly, examples, comment',
      'groups[0].topics[0].slug: “Gene_Editing” must be of small letters, digits and single hyphens, such as gene-editing',
      'groups[0].topics[0].label: must be one line of 1 to 60 characters',
      'groups[0].topics[0].strong[1]: “+++” has no letter or digit, so no paper holds it',
      'groups[0].topics[0].strong[2]: “the” stands in nearly every paper; write words that tell the topic',
      'groups[0].topics[0].strong[3]: “CRISPRs” is the same phrase as groups[0].topics[0].strong[0]; leave one out',
      'groups[0].topics[1].slug: “trending” is used by the service itself; take another',
      'groups[0].topics[1].strong: must list the phrases that mean the topic, one at least',
      'groups[0].topics[2].strong[1]: must be one line of 1 to 80 characters',
      'groups[0].topics[2].strong[2]: “one two three four five six seven eight …” has more than 8 words, so hardly a paper holds it',
      'groups[0].topics[3].examples: must be an object with the lists relevant and irrelevant, of ids of papers',
      'groups[0].topics[4]: must be an object with slug, label, strong and weak',
      'groups[1].topics: must list topics, one at least',
      'groups[1].label: “one” is a group already',
      'groups[0].topics[3].slug: “a” is taken by groups[0].topics[2].slug; each topic has its own',
      'groups[0].topics[3].label: “Of a” is taken by groups[0].topics[2].label',
      'groups[0].topics[2].strong: “crispr” means the topic Gene_Editing already; make it weak in one of them, or longer',
    ])
  })

  it.each([
    ['', 'the file is no JSON'],
    ['{"groups":', 'the file is no JSON'],
    ['[]', 'the file must be an object with "groups"'],
    ['{}', 'groups: must list groups of topics, one at least'],
    ['{"groups":{}}', 'groups: must be a list of at most 20'],
    ['{"extends":"default","without":["cooking"]}', 'without[0]: “cooking” is no topic that ships'],
    ['{"without":["robotics"],"groups":[]}', 'without: goes with "extends": "default"; leave it out'],
    [fileOf([topic('a', { formerly: ['b'] }), topic('b')]), 'groups[0].topics[0].formerly[0]: “b” is a topic still'],
    [
      fileOf([topic('hands', { strong: ['robot learning'] })], { extends: 'default' }),
      'groups[0].topics[0].strong: “robot learning” means the topic robotics already',
    ],
    [fileOf(Array.from({ length: 201 }, (_, n) => topic(`t${n}`))), 'groups[0].topics: must be a list of at most 200'],
  ])('is refused: %s', (text, fault) => {
    expect(faultsOf(text).join('\n')).toContain(fault)
  })
})
