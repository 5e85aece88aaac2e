/** What becomes of a choice of topics when the installation has others: it stays on record, and what is left of it counts. */
import { quoted } from '../text/text.ts'
import { currentTopics } from '../topics.ts'
import type { Profile } from './preferences.ts'

/**
 * A profile by the topics that there are: one that was renamed by its new slug, without those that are gone. Who followed nothing
 * else gets what trends in all topics: a subscription never ends by a change of topics.
 */
export const offeredProfile = <P extends Profile>(profile: P): { profile: P; gone: string[] } => {
  const { offered, gone } = currentTopics(profile.topics)
  const isEmpty = offered.length + profile.keywords.length + profile.authors.length === 0
  return { profile: { ...profile, topics: offered, trending: profile.trending || isEmpty }, gone }
}

const named = (slugs: readonly string[]): string => {
  const [last = '', ...others] = slugs.map(quoted).reverse()
  return others.length === 0 ? last : `${others.reverse().join(', ')} and ${last}`
}

const sentenceOf = (gone: readonly string[]): string =>
  `${named(gone)} ${gone.length === 1 ? 'is' : 'are'} no longer offered.`

/**
 * What a digest says of topics that are gone: once, in the first that is composed without them, for `before` are the topics of the
 * digest before; and in each, where it has only what trends in their stead. `null` where there is nothing to say.
 */
export const goneTopicsLine = (stored: Profile, before: readonly string[]): string | null => {
  const { profile, gone } = offeredProfile(stored)
  if (profile.trending && !stored.trending)
    return `${sentenceOf(gone)} You get what trends in all topics until you choose others in your settings.`
  const news = gone.filter((slug) => before.includes(slug))
  return news.length === 0 ? null : sentenceOf(news)
}

/** The same for the settings page, while they are on record; `null` where none is. */
export const goneTopicsInWords = (stored: Profile): string | null => {
  const { profile, gone } = offeredProfile(stored)
  if (gone.length === 0) return null
  const sentence = sentenceOf(gone)
  return profile.trending && !stored.trending
    ? `${sentence} Until you choose other topics you get what trends.`
    : sentence
}
