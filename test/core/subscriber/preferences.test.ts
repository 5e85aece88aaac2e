import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { namedTopics, readNewPreferences, readPreferences, STANDARD } from '../../../src/core/subscriber/preferences.ts'
import { DEFAULT_TOPICS } from '../../../src/core/topics.ts'
import { propertyRuns } from '../../support/thoroughness.ts'

const RIGHT = { topics: ['robotics', 'agents'], frequency: 'weekly', timezone: 'Europe/London' }

const problemsOf = (raw: Record<string, unknown>): Record<string, string> => {
  const read = readPreferences(raw)
  return 'errors' in read ? Object.fromEntries(read.errors.map(({ field, problem }) => [field, problem])) : {}
}

describe('preferences', () => {
  it('are read with topics sorted and distinct, and seven in the morning and Saturday by default', () => {
    expect(readPreferences({ ...RIGHT, topics: ['robotics', 'agents', 'robotics'] })).toEqual({
      preferences: {
        trending: false,
        topics: ['agents', 'robotics'],
        keywords: [],
        authors: [],
        muted: [],
        whenEmpty: 'skip',
        papers: null,
        leastPapers: 1,
        frequency: 'weekly',
        hour: 7,
        weekday: 6,
        atOnce: false,
        timeZone: 'Europe/London',
      },
    })
  })

  it('lower a least number that stands with the size, for a program that knows of the size alone', () => {
    const read = readPreferences({ topics: 'agents', papers: 3 }, { ...STANDARD, leastPapers: 5 })
    expect(read).toMatchObject({ preferences: { papers: 3, leastPapers: 3 } })
  })

  it('keep the defaults where nothing is given, and an empty list empties them', () => {
    const standing = {
      ...STANDARD,
      hour: 21,
      weekday: 2,
      keywords: ['Lean 4'],
      muted: ['survey'],
      whenEmpty: 'send' as const,
    }
    const read = readPreferences({ topics: 'agents', hour: '', muted: '' }, standing)
    expect(read).toMatchObject({ preferences: { ...standing, muted: [] } })
  })

  it('of an address alone are what trends in all topics, daily at seven by UTC', () => {
    const standard = { preferences: { ...STANDARD, trending: true, topics: [] } }
    expect(readNewPreferences({})).toEqual(standard)
    expect(readNewPreferences({ topics: '', keywords: '\r\n', authors: '', papers: '', hour: '' })).toEqual(standard)
    expect(readNewPreferences({ muted: 'survey', papers: 3 })).toMatchObject({
      preferences: { trending: true, muted: ['survey'], papers: 3 },
    })
    expect(readNewPreferences({ topics: [] })).toHaveProperty('errors')
  })

  it.each([
    ['a topic', { topics: 'agents' }, false],
    ['a keyword', { topics: '', keywords: 'Lean 4' }, false],
    ['a followed author', { authors: ['Grace Hopper'] }, false],
    ['trending beside a topic', { topics: ['trending', 'agents'] }, true],
    ['trending beside a keyword', { topics: 'trending', keywords: 'Lean 4' }, true],
  ])('of somebody new with %s have what trends only where it is named', (_, given, trending) => {
    expect(readNewPreferences(given)).toMatchObject({ preferences: { trending } })
  })

  it('need no topic where there is a keyword or an author', () => {
    expect(readPreferences({ ...RIGHT, topics: [], keywords: 'Lean 4' })).toMatchObject({
      preferences: { topics: [], keywords: ['Lean 4'] },
    })
    expect(readPreferences({ ...RIGHT, topics: undefined, authors: ['Grace Hopper'] })).toHaveProperty('preferences')
    expect(problemsOf({ ...RIGHT, topics: [], muted: 'survey' })).toEqual({
      topics: 'Choose trending papers or at least one topic, or add a keyword or author.',
    })
  })

  it.each([
    ['one topic as a form sends it', { topics: 'agents' }, { topics: ['agents'] }],
    ['topics as a comma list', { topics: 'robotics, agents' }, { topics: ['agents', 'robotics'] }],
    [
      'every topic there is',
      { topics: DEFAULT_TOPICS.all.map(({ slug }) => slug) },
      { topics: DEFAULT_TOPICS.all.map(({ slug }) => slug).sort() },
    ],
    ['what trends beside topics', { topics: 'trending,agents' }, { trending: true, topics: ['agents'] }],
    ['a number of papers as a form sends it', { papers: '15' }, { papers: 15 }],
    ['as many papers as are usual', { papers: 'usual' }, { papers: null }],
    ['no zone', { timezone: '' }, { timeZone: 'UTC' }],
    ['no frequency', { frequency: undefined }, { frequency: 'daily' }],
    ['digits of a form', { hour: '00', weekday: '7' }, { hour: 0, weekday: 7 }],
    ['numbers of JSON', { hour: 23, weekday: 1 }, { hour: 23, weekday: 1 }],
    ['keywords one a line', { keywords: 'sheet music\r\n\r\n Lean 4 ' }, { keywords: ['Lean 4', 'sheet music'] }],
    ['what a day without papers brings', { when_empty: 'send' }, { whenEmpty: 'send' }],
    ['a least number of papers as big as the digest', { papers: '5', least_papers: '5' }, { leastPapers: 5 }],
    ['what comes at once as a form says it', { at_once: 'yes' }, { atOnce: true }],
    ['what comes at once as JSON says it', { at_once: true }, { atOnce: true }],
    [
      'topics in several comma lists',
      { topics: ['robotics,agents', 'code'] },
      { topics: ['agents', 'code', 'robotics'] },
    ],
    ['a zone in any case', { timezone: ' asia/calcutta ' }, { timeZone: 'Asia/Kolkata' }],
  ])('take %s', (_, given, read) => {
    expect(readPreferences({ ...RIGHT, ...given })).toMatchObject({ preferences: read })
  })

  it.each([
    [
      'no topic',
      { topics: [] },
      { topics: 'Choose trending papers or at least one topic, or add a keyword or author.' },
    ],
    [
      'an absent topic',
      { topics: undefined },
      { topics: 'Choose trending papers or at least one topic, or add a keyword or author.' },
    ],
    ['an unknown topic', { topics: ['agents', 'llm'] }, { topics: 'There is no topic “llm”. Choose from the list.' }],
    [
      'several unknown topics',
      { topics: ['a1', 'a2', 'a3', 'a4', 'agents'] },
      { topics: 'There are no topics “a1”, “a2”, “a3” and 1 more. Choose from the list.' },
    ],
    ['topics of a wrong type', { topics: [1, 2] }, { topics: 'Send the topics as a list of names.' }],
    ['an object for topics', { topics: { a: 1 } }, { topics: 'Send the topics as a list of names.' }],
    ['an unknown frequency', { frequency: 'hourly' }, { frequency: 'Choose daily or weekly.' }],
    [
      'something else for a day without papers',
      { when_empty: 'maybe' },
      { when_empty: 'Choose what to do when there is nothing new.' },
    ],
    ['a least number that is not offered', { least_papers: 4 }, { least_papers: 'Choose 1, 2, 3 or 5 papers.' }],
    [
      'a least number above the size',
      { papers: 3, least_papers: 5 },
      { least_papers: 'Your digests have at most 3 papers, so they cannot have at least 5.' },
    ],
    [
      'neither yes nor no for what comes at once',
      { at_once: 'on' },
      { at_once: 'Choose what to send between weekly digests.' },
    ],
    [
      'a keyword that is muted',
      { keywords: ['Large-Language Models'], muted: ['large language model'] },
      { muted: '“large language model” is also one of your keywords. Remove it from one of the two.' },
    ],
    ['hour 24', { hour: 24 }, { hour: 'Choose an hour from 0 to 23.' }],
    ['half an hour', { hour: 7.5 }, { hour: 'Choose an hour from 0 to 23.' }],
    ['an hour in words', { hour: 'seven' }, { hour: 'Choose an hour from 0 to 23.' }],
    ['weekday 0', { weekday: '0' }, { weekday: 'Choose a weekday from 1 (Monday) to 7 (Sunday).' }],
    ['weekday 8', { weekday: 8 }, { weekday: 'Choose a weekday from 1 (Monday) to 7 (Sunday).' }],
    ['a number of papers that is not offered', { papers: '7' }, { papers: 'Choose 3, 5, 10 or 15 papers.' }],
    [
      'an unknown zone',
      { timezone: 'Mars/Olympus' },
      { timezone: '“Mars/Olympus” isn’t a time zone. Choose one such as Europe/London.' },
    ],
    [
      'a bare offset',
      { timezone: '+05:30' },
      { timezone: '“+05:30” isn’t a time zone. Choose one such as Europe/London.' },
    ],
  ])('refuse %s in words', (_, given, problems) => {
    expect(problemsOf({ ...RIGHT, ...given })).toEqual(problems)
  })

  it('name everything that is wrong at once', () => {
    const problems = problemsOf({ topics: 'nothing', papers: 0, frequency: 'x', hour: 24, weekday: 9, timezone: 'x' })
    expect(Object.keys(problems)).toEqual(['topics', 'papers', 'frequency', 'hour', 'weekday', 'timezone'])
  })

  it('once read are read again unchanged, and no value makes them throw', () => {
    const value = fc.oneof(
      fc.anything({ withNullPrototype: true }),
      fc.constantFrom('daily', 'weekly', 'agents', 'trending', 'UTC', 7, '7', ['agents', 'robotics']),
    )
    const words = fc.oneof(value, fc.string({ unit: 'binary' }), fc.array(fc.string({ unit: 'grapheme' })))
    const raw = fc.record({
      topics: value,
      keywords: words,
      authors: words,
      muted: words,
      when_empty: fc.oneof(value, fc.constantFrom('skip', 'send')),
      papers: fc.oneof(value, fc.constantFrom(3, '15', 'usual', null)),
      frequency: value,
      hour: value,
      least_papers: fc.oneof(value, fc.constantFrom(3, '5')),
      weekday: value,
      at_once: fc.oneof(value, fc.constantFrom('yes', true)),
      timezone: value,
    })
    fc.assert(
      fc.property(raw, (typed) => {
        const read = readPreferences(typed)
        if ('errors' in read) return read.errors.length > 0 && read.errors.every(({ problem }) => problem.length < 300)
        const { timeZone, whenEmpty, leastPapers, atOnce, ...rest } = read.preferences
        expect(
          readPreferences({
            ...rest,
            topics: namedTopics(rest),
            timezone: timeZone,
            when_empty: whenEmpty,
            least_papers: leastPapers,
            at_once: atOnce,
          }),
        ).toEqual(read)
        return true
      }),
      { numRuns: propertyRuns(1000) },
    )
  })
})
