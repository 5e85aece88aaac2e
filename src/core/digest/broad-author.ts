/** Followed names that stand for several authors, such as "J. Wang", and what is said of them before they fill a digest. */
import { hasInitialsAlone, nameWords } from '../text/author-name.ts'
import { quoted } from '../text/text.ts'
import type { Volume } from './volume.ts'

export interface BroadAuthor extends Volume {
  /** As the reader wrote it. */
  name: string
  /** The different names that it found, as papers have them, most papers first. */
  found: string[]
}

/** A followed name whose papers are by two or more people, as far as their names tell; `papers` as `findAuthor` gives them. */
export const findBroadAuthor = (
  name: string,
  papers: ReadonlyMap<string, string>,
  weeks: number,
): BroadAuthor | null => {
  if (!hasInitialsAlone(nameWords(name))) return null
  const byName = Map.groupBy(papers.values(), (found) => nameWords(found).join(' '))
  if (byName.size < 2) return null
  const found = [...byName.values()].sort((a, b) => b.length - a.length || ((a[0] ?? '') < (b[0] ?? '') ? -1 : 1))
  return { name, papers: papers.size, weeks, found: found.map(([first = '']) => first) }
}

/**
 * `“J. Wang” matches 8 authors, such as Jie Wang and Jun Wang: about 3 papers a week. To follow just one of them, write
 * the first name in full.`
 */
export const broadAuthorLine = ({ name, papers, weeks, found }: BroadAuthor): string => {
  const rate = Math.round(papers / weeks)
  const amount = rate < 1 ? 'less than one paper' : `about ${rate} paper${rate === 1 ? '' : 's'}`
  return `${quoted(name)} matches ${found.length} authors, such as ${found[0]} and ${found[1]}: ${amount} a week. To follow just one of them, write the first name in full.`
}
