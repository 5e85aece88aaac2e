/** Parsers for the arguments of the operator's commands, and counts and lines for their answers. */
import { once } from 'node:events'
import { InvalidArgumentError } from 'commander'
import { isDate, readTimestamp } from '../../src/core/calendar.ts'
import {
  DIGEST_SIZES,
  type DigestSize,
  type Frequency,
  type Profile,
  TRENDING,
} from '../../src/core/subscriber/preferences.ts'
import { currentTopics, topics } from '../../src/core/topics.ts'
import { UsageError } from '../exit.ts'

/** A count with its noun: `1 digest`, `2 digests`. */
export const counted = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`

export const instant = (text: string): Date => {
  const found = readTimestamp(text)
  if (found === null) throw new InvalidArgumentError('is not an instant; write it as 2026-04-14T05:00:00Z')
  return found
}

/**
 * Topics by their names, by comma, what trends among them. It is no parser of an option: which topics there are is known once the
 * settings are read. Throws `UsageError` for a name that is none.
 */
export const readTopicNames = (text: string): Pick<Profile, 'trending' | 'topics'> => {
  const slugs = [...new Set(text.split(',').map((slug) => slug.trim()))]
  const { offered, gone } = currentTopics(slugs.filter((slug) => slug !== TRENDING))
  if (gone.length > 0)
    throw new UsageError(
      `there is no topic ${gone.join(', ')}. The topics are: ${[TRENDING, ...topics().all.map(({ slug }) => slug)].join(', ')}`,
    )
  return { trending: slugs.includes(TRENDING), topics: offered.sort() }
}

export const digestSize = (text: string): DigestSize => {
  const size = DIGEST_SIZES.find((one) => String(one) === text)
  if (size === undefined) throw new InvalidArgumentError(`it is one of ${DIGEST_SIZES.join(', ')}`)
  return size
}

export const day = (text: string): string => {
  if (!isDate(text)) throw new InvalidArgumentError('write the day as 2026-04-14')
  return text
}

export const frequency = (text: string): Frequency => {
  if (text !== 'daily' && text !== 'weekly') throw new InvalidArgumentError('it is daily or weekly')
  return text
}

/** A parser of lists such as `hard,soft`, of these words alone. */
export const someOf =
  <T extends string>(known: readonly T[]) =>
  (text: string): T[] =>
    text.split(',').map((part) => {
      const word = known.find((one) => one === part.trim())
      if (word === undefined)
        throw new InvalidArgumentError(`there is no ${JSON.stringify(part.trim())}; write some of ${known.join(',')}`)
      return word
    })

export const editionId = (text: string): number => {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError('write its number, as in editions list')
  return Number(text)
}

/** Prints lines no faster than their reader takes them; none any more once the reader has gone. */
export const print = async (lines: string[]): Promise<void> => {
  if (lines.length === 0 || !process.stdout.writable || process.stdout.write(`${lines.join('\n')}\n`)) return
  await once(process.stdout, 'drain').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
}
