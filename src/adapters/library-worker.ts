/** The thread that reads one library: it asks once for the papers that the library names, answers, and ends. */
import { once } from 'node:events'
import { parentPort, workerData } from 'node:worker_threads'
import { decodeLibrary, readLibrary } from '../core/library/library.ts'
import {
  type HeldPaper,
  type LibrarySuggestions,
  lendableIds,
  suggestByLibrary,
} from '../core/library/library-suggestions.ts'
import { createScorer, SHIPPED_MODEL } from '../core/relevance/relevance.ts'
import { chooseTopics, createTopicSet, type TopicGroup, topics } from '../core/topics.ts'
import { readModelFile } from './relevance-model-file.ts'

export interface ThreadTask {
  octets: Uint8Array
  modelPath: string | null
  /** The topics in use. */
  groups: readonly TopicGroup[]
}

/** First the ids of the papers that may lend something, then what is suggested. */
export type ThreadAnswer = { wanted: string[] } | { suggestions: LibrarySuggestions }

const answer = async ({ octets, modelPath, groups }: ThreadTask): Promise<void> => {
  chooseTopics(createTopicSet(groups))
  const reading = readLibrary(decodeLibrary(octets))
  const wanted = lendableIds(reading)
  let held: HeldPaper[] = []
  if (wanted.length > 0) {
    const lent = once(parentPort as NonNullable<typeof parentPort>, 'message')
    parentPort?.postMessage({ wanted } satisfies ThreadAnswer)
    ;[held] = (await lent) as [HeldPaper[]]
  }
  const model = modelPath === null ? SHIPPED_MODEL : await readModelFile(modelPath)
  const suggestions = suggestByLibrary(reading, held, {
    topics: topics().all,
    score: createScorer(model, topics().all),
    vocabulary: model.vocabulary,
    measured: model.measured,
    judged: model.fittedOn.judged.length,
  })
  parentPort?.postMessage({ suggestions } satisfies ThreadAnswer)
}

await answer(workerData as ThreadTask)
