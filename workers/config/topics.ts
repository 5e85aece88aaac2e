/** The setting of topics of one's own: a file, read and checked at the start. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { type JudgedExamples, readTopicFile } from '../../src/core/topic-file.ts'
import { DEFAULT_TOPICS, type TopicSet } from '../../src/core/topics.ts'
import type { Settings } from './settings.ts'

export interface TopicConfig {
  topics: TopicSet
  /** The papers that the file judges, by topic. */
  topicExamples: ReadonlyMap<string, JudgedExamples>
}

/** Faults of a file that are named one by one. */
const MOST_FAULTS = 50

const SHIPPED: TopicConfig = { topics: DEFAULT_TOPICS, topicExamples: new Map() }

/** Reads a topics file, and hands each fault to `fault` as a clause; with any, the topics that ship are returned. */
export const readTopicsFrom = (path: string, fault: (clause: string) => void): TopicConfig => {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    fault(`${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)})`)
    return SHIPPED
  }
  const read = readTopicFile(text)
  if (!('faults' in read)) return { topics: read.topics, topicExamples: read.examples }
  for (const clause of read.faults.slice(0, MOST_FAULTS)) fault(clause)
  if (read.faults.length > MOST_FAULTS) fault(`and ${read.faults.length - MOST_FAULTS} faults more`)
  return SHIPPED
}

export const readTopics = ({ get, fault }: Settings): TopicConfig => {
  const path = get('TOPICS_FILE')
  return path === null ? SHIPPED : readTopicsFrom(resolve(path), (clause) => fault('TOPICS_FILE', clause))
}
