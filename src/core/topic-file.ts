/** A file of an operator's own topics: read, and checked as a whole, so that every fault is named at once. */
import { PAPER_ID } from './papers/paper.ts'
import { plainPhrase } from './text/phrases.ts'
import { quoted } from './text/text.ts'
import { createTopicSet, DEFAULT_TOPICS, type Topic, type TopicGroup, type TopicSet } from './topics.ts'

/** Papers that an operator judged for a topic, by their ids. */
export interface JudgedExamples {
  relevant: readonly string[]
  irrelevant: readonly string[]
}

export interface TopicFile {
  topics: TopicSet
  /** By slug; only of topics that have any. */
  examples: ReadonlyMap<string, JudgedExamples>
}

/** Slugs that addresses, forms or commands use for something else. */
export const RESERVED_SLUGS: ReadonlySet<string> = new Set([
  'trending',
  'all',
  'own',
  'search',
  'authors',
  'institutions',
  'usual',
])

const SLUG = /^[a-z0-9]+(?:-[a-z0-9]+)*$/
const LONGEST = { slug: 40, label: 60, phrase: 80, category: 60 }
const MOST = { groups: 20, topics: 200, phrases: 300, words: 8, categories: 20, formerly: 10, examples: 1_000 }
const CATEGORY = /^[\p{L}][\p{L}\p{N} .,&()-]*$/u

/** Words that stand in nearly every abstract: alone they tell nothing. */
const COMMON_WORDS: ReadonlySet<string> = new Set(
  'a an and are as at be by can for from has have how in into is it its not of on or our than that the their these this to was we were which with'
    .split(' ')
    .map(plainPhrase),
)

/** Where something stands in the file, `groups[0].topics[2].slug`, and what is wrong with it and what would be right. */
type Report = (place: string, problem: string) => void
type Row = Readonly<Record<string, unknown>>

const isRow = (value: unknown): value is Row => typeof value === 'object' && value !== null && !Array.isArray(value)

const FIELDS = {
  file: ['extends', 'without', 'groups', 'comment'],
  group: ['label', 'topics', 'comment'],
  topic: ['slug', 'label', 'strong', 'weak', 'categories', 'formerly', 'examples', 'comment'],
  examples: ['relevant', 'irrelevant'],
}

const checkFields = (row: Row, known: readonly string[], place: string, report: Report): void => {
  for (const field of Object.keys(row))
    if (!known.includes(field))
      report(place === '' ? field : `${place}.${field}`, `is no field of this; there are ${known.join(', ')}`)
}

const readLine = (value: unknown, most: number, place: string, report: Report): string => {
  const text = typeof value === 'string' ? value.trim() : ''
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
  if (text === '' || text.length > most || /[\u0000-\u001f\u007f]/.test(text)) {
    report(place, `must be one line of 1 to ${most} characters`)
    return ''
  }
  return text
}

const readList = (value: unknown, most: number, place: string, report: Report): unknown[] => {
  if (value === undefined) return []
  if (Array.isArray(value) && value.length <= most) return value
  report(place, `must be a list of at most ${most}`)
  return []
}

const readSlug = (value: unknown, place: string, report: Report): string => {
  const slug = readLine(value, LONGEST.slug, place, report)
  if (slug === '') return ''
  if (!SLUG.test(slug))
    report(place, `${quoted(slug)} must be of small letters, digits and single hyphens, such as gene-editing`)
  else if (RESERVED_SLUGS.has(slug)) report(place, `${quoted(slug)} is used by the service itself; take another`)
  return slug
}

/** Phrases as they are written, those that can be used; what finds nothing, or nearly everything, is a fault. */
const readPhrases = (value: unknown, place: string, report: Report): string[] =>
  readList(value, MOST.phrases, place, report).flatMap((one, n) => {
    const at = `${place}[${n}]`
    const phrase = readLine(one, LONGEST.phrase, at, report)
    if (phrase === '') return []
    const words = plainPhrase(phrase).split(' ')
    if (words.join('') === '') report(at, `${quoted(phrase)} has no letter or digit, so no paper holds it`)
    else if (words.length > MOST.words)
      report(at, `${quoted(phrase)} has more than ${MOST.words} words, so hardly a paper holds it`)
    else if (words.every((word) => COMMON_WORDS.has(word) || word.length < 2))
      report(at, `${quoted(phrase)} stands in nearly every paper; write words that tell the topic`)
    else return [phrase]
    return []
  })

/** Names phrases that a topic lists more than once. */
const checkRepeats = (phrases: readonly { phrase: string; place: string }[], report: Report): void => {
  const seen = new Map<string, string>()
  for (const { phrase, place } of phrases) {
    const plain = plainPhrase(phrase)
    const before = seen.get(plain)
    if (before !== undefined) report(place, `${quoted(phrase)} is the same phrase as ${before}; leave one out`)
    else seen.set(plain, place)
  }
}

const readExamples = (value: unknown, place: string, report: Report): JudgedExamples | null => {
  if (value === undefined) return null
  if (!isRow(value)) {
    report(place, 'must be an object with the lists relevant and irrelevant, of ids of papers')
    return null
  }
  checkFields(value, FIELDS.examples, place, report)
  const ids = (field: 'relevant' | 'irrelevant') =>
    readList(value[field], MOST.examples, `${place}.${field}`, report).flatMap((one, n) => {
      if (typeof one === 'string' && PAPER_ID.test(one)) return [one]
      report(
        `${place}.${field}[${n}]`,
        'must be the id of a paper, such as 2604.07429 or biorxiv:10.1101/2026.04.01.123456',
      )
      return []
    })
  const [relevant, irrelevant] = [ids('relevant'), ids('irrelevant')]
  const both = relevant.find((id) => irrelevant.includes(id))
  if (both !== undefined) report(place, `${quoted(both)} is both relevant and irrelevant`)
  return { relevant, irrelevant }
}

interface PlacedTopic {
  topic: Topic
  place: string
  examples: JudgedExamples | null
}

const readTopic = (value: unknown, place: string, report: Report): PlacedTopic | null => {
  if (!isRow(value)) {
    report(place, 'must be an object with slug, label, strong and weak')
    return null
  }
  checkFields(value, FIELDS.topic, place, report)
  const slug = readSlug(value.slug, `${place}.slug`, report)
  const label = readLine(value.label, LONGEST.label, `${place}.label`, report)
  const [strong, weak] = (['strong', 'weak'] as const).map((kind) =>
    readPhrases(value[kind], `${place}.${kind}`, report),
  )
  if (!Array.isArray(value.strong) || value.strong.length === 0)
    report(`${place}.strong`, 'must list the phrases that mean the topic, one at least')
  const placed = (kind: 'strong' | 'weak') =>
    (Array.isArray(value[kind]) ? (value[kind] as unknown[]) : []).flatMap((phrase, n) =>
      typeof phrase === 'string' && plainPhrase(phrase) !== '' ? [{ phrase, place: `${place}.${kind}[${n}]` }] : [],
    )
  checkRepeats([...placed('strong'), ...placed('weak')], report)
  const categories = readList(value.categories, MOST.categories, `${place}.categories`, report).flatMap((one, n) => {
    const at = `${place}.categories[${n}]`
    const category = readLine(one, LONGEST.category, at, report)
    if (category !== '' && !CATEGORY.test(category))
      report(at, `${quoted(category)} is no name of a category, such as cs.CL`)
    return category === '' ? [] : [category]
  })
  const formerly = readList(value.formerly, MOST.formerly, `${place}.formerly`, report).map((one, n) =>
    readSlug(one, `${place}.formerly[${n}]`, report),
  )
  const topic = { slug, label, strong: strong ?? [], weak: weak ?? [], categories }
  return {
    topic: formerly.length === 0 ? topic : { ...topic, formerly },
    place,
    examples: readExamples(value.examples, `${place}.examples`, report),
  }
}

interface PlacedGroup {
  label: string
  topics: PlacedTopic[]
}

const readGroups = (value: unknown, isNeeded: boolean, report: Report): PlacedGroup[] => {
  const groups = readList(value, MOST.groups, 'groups', report)
  if (groups.length === 0 && isNeeded) report('groups', 'must list groups of topics, one at least')
  return groups.flatMap((group, n) => {
    const place = `groups[${n}]`
    if (!isRow(group)) {
      report(place, 'must be an object with label and topics')
      return []
    }
    checkFields(group, FIELDS.group, place, report)
    const label = readLine(group.label, LONGEST.label, `${place}.label`, report)
    const topics = readList(group.topics, MOST.topics, `${place}.topics`, report)
    if (topics.length === 0) report(`${place}.topics`, 'must list topics, one at least')
    return [{ label, topics: topics.flatMap((topic, t) => readTopic(topic, `${place}.topics[${t}]`, report) ?? []) }]
  })
}

/** Names what two topics of the file have in common and must not: slug, label, or a phrase that means both. */
const checkBetween = (own: readonly PlacedTopic[], others: readonly Topic[], report: Report): void => {
  const taken = {
    slug: new Map(others.map(({ slug }) => [slug, `the topic ${slug} that ships`])),
    label: new Map(others.map(({ slug, label }) => [label.toLowerCase(), `the topic ${slug} that ships`])),
    strong: new Map(others.flatMap(({ slug, strong }) => strong.map((phrase) => [plainPhrase(phrase), slug] as const))),
  }
  const take = (names: Map<string, string>, name: string, place: string, sentence: (other: string) => string): void => {
    const other = names.get(name)
    if (name !== '' && other !== undefined) report(place, sentence(other))
    else names.set(name, place)
  }
  for (const { topic, place } of own) {
    take(
      taken.slug,
      topic.slug,
      `${place}.slug`,
      (other) => `${quoted(topic.slug)} is taken by ${other}; each topic has its own`,
    )
    take(
      taken.label,
      topic.label.toLowerCase(),
      `${place}.label`,
      (other) => `${quoted(topic.label)} is taken by ${other}`,
    )
  }
  for (const { topic, place } of own) {
    for (const [n, slug] of (topic.formerly ?? []).entries())
      take(
        taken.slug,
        slug,
        `${place}.formerly[${n}]`,
        (other) => `${quoted(slug)} is a topic still, or was another’s: ${other}`,
      )
    for (const phrase of new Set(topic.strong.map(plainPhrase))) {
      const other = taken.strong.get(phrase)
      if (other !== undefined && other !== topic.slug)
        report(
          `${place}.strong`,
          `${quoted(phrase)} means the topic ${other} already; make it weak in one of them, or longer`,
        )
      else taken.strong.set(phrase, topic.slug)
    }
  }
}

/** The topics that ship with those of the file: one of the same slug in its place, others in a group of the same label or after all. */
const extendDefault = (own: readonly PlacedGroup[], without: ReadonlySet<string>): TopicGroup[] => {
  const bySlug = new Map(own.flatMap(({ topics }) => topics.map(({ topic }) => [topic.slug, topic] as const)))
  const isNew = ({ slug }: Topic) => DEFAULT_TOPICS.bySlug(slug) === undefined
  const added = new Map(own.map(({ label, topics }) => [label, topics.map(({ topic }) => topic).filter(isNew)]))
  const shipped = DEFAULT_TOPICS.groups.map(({ label, topics }) => ({
    label,
    topics: [
      ...topics.filter(({ slug }) => !without.has(slug)).map((topic) => bySlug.get(topic.slug) ?? topic),
      ...(added.get(label) ?? []),
    ],
  }))
  const known = new Set(shipped.map(({ label }) => label))
  const more = [...added].filter(([label]) => !known.has(label)).map(([label, topics]) => ({ label, topics }))
  return [...shipped, ...more].filter(({ topics }) => topics.length > 0)
}

const readWithout = (value: unknown, extending: boolean, report: Report): Set<string> => {
  if (value !== undefined && !extending) report('without', 'goes with "extends": "default"; leave it out')
  const slugs = readList(value, MOST.topics, 'without', report)
  for (const [n, slug] of slugs.entries())
    if (typeof slug !== 'string' || DEFAULT_TOPICS.bySlug(slug) === undefined)
      report(`without[${n}]`, `${typeof slug === 'string' ? quoted(slug) : 'this'} is no topic that ships`)
  return new Set(slugs.filter((slug): slug is string => typeof slug === 'string'))
}

/**
 * Reads the text of a topics file: JSON, an object with `groups` of `topics`, which replace the topics that ship, or with
 * `"extends": "default"` are added to them. Returns the topics, or every fault as a clause with its place in the file.
 */
export const readTopicFile = (text: string): TopicFile | { faults: string[] } => {
  const faults: string[] = []
  const report: Report = (place, problem) => {
    faults.push(`${place}: ${problem}`)
  }
  let file: unknown
  try {
    file = JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch (error) {
    return { faults: [`the file is no JSON (${(error as Error).message})`] }
  }
  if (!isRow(file)) return { faults: ['the file must be an object with "groups"'] }
  checkFields(file, FIELDS.file, '', report)
  const extending = file.extends === 'default'
  if (file.extends !== undefined && !extending) report('extends', 'is "default" or left out')
  const without = readWithout(file.without, extending, report)
  const own = readGroups(file.groups, !extending, report)
  const labels = own.map(({ label }) => label.toLowerCase())
  for (const [n, label] of labels.entries())
    if (label !== '' && labels.indexOf(label) < n) report(`groups[${n}].label`, `${quoted(label)} is a group already`)
  const placed = own.flatMap(({ topics }) => topics)
  const slugs = new Set(placed.map(({ topic }) => topic.slug))
  const kept = extending ? DEFAULT_TOPICS.all.filter(({ slug }) => !without.has(slug) && !slugs.has(slug)) : []
  checkBetween(placed, kept, report)
  const count = kept.length + placed.length
  if (count > MOST.topics) report('groups', `there are ${count} topics; ${MOST.topics} are the most`)
  if (faults.length === 0 && count === 0) report('groups', 'must leave one topic at least')
  if (faults.length > 0) return { faults }
  const groups = extending
    ? extendDefault(own, without)
    : own.map(({ label, topics }) => ({ label, topics: topics.map(({ topic }) => topic) }))
  const judged = placed.flatMap(({ topic, examples }) => (examples === null ? [] : [[topic.slug, examples] as const]))
  return { topics: createTopicSet(groups), examples: new Map(judged) }
}
