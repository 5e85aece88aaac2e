/** How an operator writes things, and how numbers are told. */
import { InvalidArgumentError } from 'commander'
import type { Frequency } from '../../src/core/subscriber/preferences.ts'
import { isTopic, TOPICS } from '../../src/core/topics.ts'
import { readDay, readInstant } from '../config.ts'

export const counted = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`

export const instant = (text: string): Date => {
  try {
    return readInstant(text)
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message)
  }
}

export const topics = (text: string): string[] => {
  const slugs = [...new Set(text.split(',').map((slug) => slug.trim()))].sort()
  const unknown = slugs.filter((slug) => !isTopic(slug))
  if (unknown.length > 0)
    throw new InvalidArgumentError(
      `there is no topic ${unknown.join(', ')}. The topics are: ${TOPICS.map((topic) => topic.slug).join(', ')}`,
    )
  return slugs
}

export const day = (text: string): string => {
  const found = readDay(text)
  if (found === null) throw new InvalidArgumentError('write the day as 2026-04-14')
  return found
}

export const frequency = (text: string): Frequency => {
  if (text !== 'daily' && text !== 'weekly') throw new InvalidArgumentError('it is daily or weekly')
  return text
}
