/** What relevance costs: a paper for all topics, the model in memory and on disk, and training on 10,000 papers. */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { readModel, writeModel } from '../../src/core/relevance/model-format.ts'
import { createRandom } from '../../src/core/relevance/regression.ts'
import { createScorer, SHIPPED_MODEL } from '../../src/core/relevance/relevance.ts'
import { DEFAULT_TOPICS } from '../../src/core/topics.ts'
import { type JudgedPaper, trainModel } from '../evaluation/training.ts'

const SCORED = 2_000
const TRAINED_ON = 10_000
const JUDGED = 800
/** Words of an abstract, and of a title. */
const LENGTHS = { abstract: 190, title: 11 }
const MODEL_FILE = join(import.meta.dirname, '../../src/core/relevance/model.json')

const random = createRandom(1)
const pick = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)] as T

/** Common words come often, rare ones rarely: the n-th has the n-th part of the chances of the first (Zipf). */
const { terms } = SHIPPED_MODEL.vocabulary
const pickTerm = (): string => terms[Math.floor(terms.length ** random()) - 1] ?? ''
const text = (topic: (typeof DEFAULT_TOPICS.all)[number], words: number): string => {
  const parts: string[] = [pick(topic.strong), pick(topic.weak)]
  while (parts.join(' ').split(' ').length < words) parts.push(pickTerm(), pickTerm(), pickTerm(), 'the')
  return parts.join(' ')
}

const papers = Array.from({ length: TRAINED_ON }, (_, number) => {
  const topic = pick(DEFAULT_TOPICS.all)
  const listDay = `2026-0${1 + (number % 6)}-${String(1 + (number % 28)).padStart(2, '0')}`
  return { id: `${number}`, title: text(topic, LENGTHS.title), abstract: text(topic, LENGTHS.abstract), listDay, topic }
})
const judged = papers
  .slice(0, JUDGED)
  .map(({ topic, ...paper }): JudgedPaper => ({ ...paper, grades: { [topic.slug]: 2 } }))

const collect = (): number => {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers
}

const file = writeModel(SHIPPED_MODEL)
let kept: unknown = JSON.parse(file)
const before = collect()
const model = readModel(kept)
kept = null
const score = createScorer(model)
const memory = collect() - before

for (const paper of papers.slice(0, SCORED)) score(paper)
const began = performance.now()
for (const paper of papers.slice(0, SCORED)) score(paper)
const msPerPaper = (performance.now() - began) / SCORED

const trainingBegan = performance.now()
trainModel({ papers, by: { judged } })
const trainingSeconds = (performance.now() - trainingBegan) / 1000

const round = (value: number): number => Math.round(value * 1000) / 1000
const result = {
  msPerPaper: round(msPerPaper),
  topics: DEFAULT_TOPICS.all.length,
  modelMegabytesOnDisk: round(statSync(MODEL_FILE).size / 1e6),
  // Without --expose-gc the memory is what the process happens to hold.
  modelMegabytesInMemory: globalThis.gc === undefined ? null : round(memory / 1e6),
  trainingSeconds: round(trainingSeconds),
  trainedOn: TRAINED_ON,
}

console.log(`A paper for ${result.topics} topics: ${result.msPerPaper.toFixed(3)} ms.`)
console.log(
  `The model: ${result.modelMegabytesOnDisk} MB on disk, ${result.modelMegabytesInMemory ?? '(not measured)'} MB in memory.`,
)
console.log(`Training on ${TRAINED_ON} papers and ${JUDGED} judged ones: ${result.trainingSeconds.toFixed(1)} s.`)
if (process.argv.includes('--json')) console.log(JSON.stringify(result))
