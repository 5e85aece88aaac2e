/** The topics one can subscribe to: 38 subjects in five groups, each with the phrases by which papers are found. */
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
}

export interface TopicGroup {
  label: string
  topics: readonly Topic[]
}

/** The groups, in the order in which pages offer them. */
export const TOPIC_GROUPS: readonly TopicGroup[] = groups

/** All topics, in the order of their groups. */
export const TOPICS: readonly Topic[] = TOPIC_GROUPS.flatMap((group) => group.topics)

const bySlug = new Map(TOPICS.map((topic) => [topic.slug, topic]))

/** The topic of a slug; `undefined` when there is none. */
export const topicBySlug = (slug: string): Topic | undefined => bySlug.get(slug)

export const isTopic = (slug: string): boolean => bySlug.has(slug)
