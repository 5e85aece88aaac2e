/**
 * The topics that one can subscribe to: 38 subjects in five groups that ship with the project, or an operator's own, each with
 * the phrases by which papers are found.
 */
import { createHash } from 'node:crypto'
import groups from './topics.json' with { type: 'json' }

export interface Topic {
  /** What links, tables and programs call it, such as `gui-agents`. Never changes: subscribers' choices hold it. */
  slug: string
  /** What readers call it. */
  label: string
  /** Phrases that mean this topic, and others that only hint at it; singular and plural are one. */
  strong: readonly string[]
  weak: readonly string[]
  /** arXiv categories where its papers are mostly found. */
  categories: readonly string[]
  /** Slugs that it had before: who subscribed to one of them is subscribed to it. */
  formerly?: readonly string[]
}

export interface TopicGroup {
  label: string
  topics: readonly Topic[]
}

/** All topics of an installation. */
export interface TopicSet {
  /** In the order in which pages offer them. */
  groups: readonly TopicGroup[]
  /** In the order of their groups. */
  all: readonly Topic[]
  /** The topic of a slug; `undefined` when there is none. */
  bySlug(slug: string): Topic | undefined
  /** The topic that had a slug before. */
  byFormerSlug(slug: string): Topic | undefined
}

export const createTopicSet = (groups: readonly TopicGroup[]): TopicSet => {
  const all = groups.flatMap((group) => group.topics)
  const bySlug = new Map(all.map((topic) => [topic.slug, topic]))
  const byFormerSlug = new Map(all.flatMap((topic) => topic.formerly?.map((slug) => [slug, topic] as const) ?? []))
  return {
    groups,
    all,
    bySlug: (slug) => bySlug.get(slug),
    byFormerSlug: (slug) => byFormerSlug.get(slug),
  }
}

/** The topics that ship with the project, which its relevance model was trained for. */
export const DEFAULT_TOPICS: TopicSet = createTopicSet(groups)

/** Twelve hex digits that differ between sets of topics, as far as these decide which papers are found. */
export const fingerprintOfTopics = ({ all }: TopicSet): string => {
  const phrases = all.map(({ slug, strong, weak }) => [slug, strong, weak])
  return createHash('sha256').update(JSON.stringify(phrases)).digest('hex').slice(0, 12)
}

let inUse: TopicSet | null = null

const same = (one: TopicSet, other: TopicSet): boolean =>
  one === other || JSON.stringify(one.groups) === JSON.stringify(other.groups)

/**
 * Says which topics this process works with, once, before anything asks for them: a choice of others, or one after they were
 * asked for, throws. So what `topics` returns never changes. They are settled here rather than handed down because everything that
 * shows or reads a paper's topic needs them, from the reason in a mail to the check of a form, and no process ever has two sets.
 */
export const chooseTopics = (set: TopicSet): void => {
  if (inUse !== null && !same(inUse, set)) throw new Error('the topics are in use already: choose them at the start')
  inUse ??= set
}

/** The topics that this process works with; those that ship with the project where none were chosen. */
export const topics = (): TopicSet => {
  inUse ??= DEFAULT_TOPICS
  return inUse
}

/** The topic of a slug; `undefined` when there is none. */
export const topicBySlug = (slug: string): Topic | undefined => topics().bySlug(slug)

export const isTopic = (slug: string): boolean => topicBySlug(slug) !== undefined

/** Slugs as they are now, in their order: of a topic that was renamed its slug, each once; and those of topics that are gone. */
export const currentTopics = (slugs: readonly string[]): { offered: string[]; gone: string[] } => {
  const { bySlug, byFormerSlug } = topics()
  const offered = new Set<string>()
  const gone: string[] = []
  for (const slug of slugs) {
    const topic = bySlug(slug) ?? byFormerSlug(slug)
    if (topic === undefined) gone.push(slug)
    else offered.add(topic.slug)
  }
  return { offered: [...offered], gone }
}
