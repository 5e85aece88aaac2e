/** What somebody follows, as readers are told it. */
import { topicBySlug } from '../topics.ts'
import { namedTopics, type Profile, TRENDING } from './preferences.ts'

/** The label of a topic, or of what trends; a topic that is offered no longer is called by its slug. */
export const topicLabel = (slug: string): string =>
  slug === TRENDING ? 'Trending in all topics' : (topicBySlug(slug)?.label ?? slug)

/** The labels of a profile's topics, what trends first. */
export const topicLabels = (profile: Pick<Profile, 'trending' | 'topics'>): string[] =>
  namedTopics(profile).map(topicLabel)

/** Everything that a profile follows: its topics, its keywords in quotes, its authors. */
export const followedLabels = (profile: Pick<Profile, 'trending' | 'topics' | 'keywords' | 'authors'>): string[] => [
  ...topicLabels(profile),
  ...profile.keywords.map((keyword) => `“${keyword}”`),
  ...profile.authors,
]

/** Whether somebody chose what trends, and nothing besides. */
export const followsOnlyTrending = ({
  trending,
  topics,
  keywords,
  authors,
}: Pick<Profile, 'trending' | 'topics' | 'keywords' | 'authors'>): boolean =>
  trending && topics.length + keywords.length + authors.length === 0
