/** Looks at the topics in use before readers see what they find: all papers held are scored, and nothing is stored. */
import { explainedFits } from '../core/digest/quoted-phrases.ts'
import { GATE } from '../core/relevance/gate.ts'
import { createTopicStudy, type Judged, type TopicStudy } from '../core/relevance/topic-study.ts'
import { topics } from '../core/topics.ts'
import type { Database } from '../store/database.ts'
import { readPaperBatches } from '../store/papers/paper-batches.ts'
import type { Scorer } from './relevance.ts'

/** `judged`: papers that an operator judged, by topic. `onPapers` hears how many papers were looked at so far. */
export const checkTopics = async (
  db: Database,
  { score, byPhrases }: Pick<Scorer, 'score' | 'byPhrases'>,
  judged: ReadonlyMap<string, Judged>,
  onPapers: (count: number) => void = () => undefined,
): Promise<TopicStudy> => {
  // What a digest would take: past the gate, and with a reason that can be told.
  const study = createTopicStudy(
    topics().all,
    (paper) => explainedFits(score(paper).filter((fit) => fit.score >= GATE)),
    byPhrases,
    judged,
  )
  let looked = 0
  for await (const batch of readPaperBatches(db)) {
    for (const { paper, listDay } of batch) study.add(paper, listDay)
    looked += batch.length
    onPapers(looked)
  }
  return study.result()
}
