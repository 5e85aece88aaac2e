/**
 * Measures how well papers are chosen, on judged papers:
 *
 *     npm run eval -- --papers PATH --labels FILE --upvotes FILE --excerpts FILE --history FILE --history-labels FILE
 *
 * Papers whose judgements the model was fitted to are not measured by that model: another is trained on the judged papers
 * of the history alone.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { startEmbeddedPostgres } from '../../src/adapters/postgres/embedded-postgres.ts'
import { readModelFile } from '../../src/adapters/relevance-model-file.ts'
import { addDays } from '../../src/core/calendar.ts'
import { explainedFits } from '../../src/core/digest/quoted-phrases.ts'
import type { Listing } from '../../src/core/papers/paper.ts'
import { GATE } from '../../src/core/relevance/gate.ts'
import type { FittedOn, RelevanceModel } from '../../src/core/relevance/model.ts'
import { readPaper } from '../../src/core/relevance/reading.ts'
import { createScorer, SHIPPED_MODEL, type TopicRelevance } from '../../src/core/relevance/relevance.ts'
import { type PaperTerm, paperTerms } from '../../src/core/taste/paper-terms.ts'
import { DEFAULT_TOPICS } from '../../src/core/topics.ts'
import { openDatabase } from '../../src/store/database.ts'
import { endWith, UsageError } from '../../workers/exit.ts'
import { createProgress, type Progress } from '../../workers/progress.ts'
import { scoreByCounts, scoreByLabels, scoreByPhrases } from './baselines.ts'
import { type BlendResult, type JudgedCandidate, studyBlend } from './blend-study.ts'
import { type ExcerptResult, readExcerptJudgements, studyExcerpts } from './excerpt-study.ts'
import { rankByFullText } from './full-text.ts'
import { readListings, readRowsFile } from './input-files.ts'
import { type EvaluatedPaper, type Joined, joinPapers, type Label, readLabels, readUpvotes } from './judged-papers.ts'
import { type GateResult, type RelevanceResult, type Scores, studyGate, studyRelevance } from './relevance-study.ts'
import { type ReplayResult, replay } from './replay.ts'
import { interval, number, row } from './table-rows.ts'
import type { TasteCandidate } from './taste-simulation.ts'
import { studyTaste, type TasteResult } from './taste-study.ts'
import { tasteTables } from './taste-tables.ts'
import { type JudgedPaper, MIN_JUDGED, MIN_PAPERS, trainModel } from './training.ts'
import { studyTrend, type TrendResult, trendsOf } from './trend-study.ts'
import { studyVotes, type VotesResult } from './votes-study.ts'
import { votesTables } from './votes-tables.ts'

interface Options {
  papers: string
  labels?: string
  upvotes?: string
  excerpts?: string
  history?: string
  historyLabels?: string
  before?: string
  model?: string
  json?: true
}

/** The scores of the papers, and by which model they were scored. */
interface Scoring {
  score: ReturnType<typeof createScorer>
  relevance: TopicRelevance[][]
  /** On how many judged papers of the history a model was trained to measure these; `null` where the given one did. */
  trainedOn: number | null
  /** Weeks measured by a model that was fitted to their judgements, for lack of papers to train on: their figures are too good. */
  flattered: string[]
}

/** The first ids are told one by one, the others by their number. */
const MAX_IDS = 10

const say = (text: string): void => console.error(text)

const someOf = (ids: readonly string[]): string =>
  ids.length <= MAX_IDS ? ids.join(', ') : `${ids.slice(0, MAX_IDS).join(', ')} and ${ids.length - MAX_IDS} more`

/** Tells which labels and papers have no counterpart, and which topics have no relevant paper. */
const tellMismatches = ({ papers, unknownLabels, unlabelled }: Joined): void => {
  if (unknownLabels.length > 0) say(`${unknownLabels.length} labels without a paper: ${someOf(unknownLabels)}`)
  if (unlabelled.length > 0) say(`${unlabelled.length} papers without a label, not measured: ${someOf(unlabelled)}`)
  const missing = DEFAULT_TOPICS.all.filter(({ slug }) => !papers.some(({ grades }) => (grades?.[slug] ?? 0) > 0))
  if (missing.length > 0 && papers.some(({ grades }) => grades !== null))
    say(`topics without a relevant paper, not measured: ${missing.map(({ slug }) => slug).join(', ')}`)
}

const judgedOf = (papers: readonly EvaluatedPaper[]): JudgedPaper[] =>
  papers.flatMap(({ grades, ...paper }) => (grades === null ? [] : [{ ...paper, grades }]))

/** Scores every paper by the model, or by one trained on the history alone where the model knows the papers. */
const scoreAll = (
  papers: readonly EvaluatedPaper[],
  model: RelevanceModel,
  history: { listings: readonly Listing[]; labels: readonly Label[] },
  progress: Progress,
): Scoring => {
  const seen = new Set(model.fittedOn.judged)
  const known = [...new Set(papers.filter(({ id }) => seen.has(id)).map(({ week }) => week))].sort()
  const measured = new Set(papers.map(({ id }) => id))
  const judged = judgedOf(joinPapers(history.listings, history.labels, []).papers).filter(({ id }) => !measured.has(id))
  const canTrain = history.listings.length >= MIN_PAPERS && judged.length >= MIN_JUDGED
  if (known.length === 0 || !canTrain) return scoredBy(model, papers, { trainedOn: null, flattered: known })
  const trained = trainModel({
    papers: history.listings.map(({ paper, listDay }) => ({ ...paper, listDay })),
    by: { judged },
    onProgress: (share) => progress.show(share, 1),
  })
  return scoredBy(trained, papers, { trainedOn: judged.length, flattered: [] })
}

const scoredBy = (
  model: RelevanceModel,
  papers: readonly EvaluatedPaper[],
  method: Pick<Scoring, 'trainedOn' | 'flattered'>,
): Scoring => {
  const score = createScorer(model)
  return { score, relevance: papers.map(score), ...method }
}

const scoresOf = (relevance: readonly TopicRelevance[][]): Scores =>
  relevance.map((ofPaper) => {
    const scores = new Map(ofPaper.map(({ topic, score }) => [topic, score]))
    return DEFAULT_TOPICS.all.map(({ slug }) => scores.get(slug) ?? 0)
  })

/** Scores by Postgres's full-text search, on an embedded server that is deleted afterwards; `null` where none starts. */
const scoreByFullText = async (papers: readonly EvaluatedPaper[]): Promise<Scores | null> => {
  const folder = await mkdtemp(join(tmpdir(), 'paper-round-eval-'))
  try {
    const postgres = await startEmbeddedPostgres({ folder, durable: false })
    const db = openDatabase(postgres.url, { connections: 1, name: 'paper-round eval', onError: () => undefined })
    try {
      const queries = DEFAULT_TOPICS.all.map(({ strong, weak }) => ({ phrases: [...strong, ...weak] }))
      return await rankByFullText(db, { texts: papers, queries })
    } finally {
      await db.destroy()
      await postgres.stop()
    }
  } catch (error) {
    say(`ts_rank_cd is not measured: ${error instanceof Error ? error.message : String(error)}`)
    return null
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const round = (value: number): number => Math.round(value * 10_000) / 10_000

/** A value with all of its numbers, however deep, rounded to four decimals. */
const rounded = (value: unknown): unknown => {
  if (typeof value === 'number') return round(value)
  if (Array.isArray(value)) return value.map(rounded)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, rounded(inner)]))
}

/** The parts of an earlier report that this one is compared with. */
type Before = Pick<Report, 'relevance' | 'gate'>

interface Report {
  papers: number
  judged: number
  /** What the model was fitted on, and whether another one was therefore measured, or should have been. */
  method: { model: Omit<FittedOn, 'judged'> } & Pick<Scoring, 'trainedOn' | 'flattered'>
  relevance: RelevanceResult
  gate: GateResult | null
  trend: TrendResult | null
  blend: BlendResult | null
  votes: VotesResult | null
  taste: TasteResult | null
  excerpts: ExcerptResult | null
  repeats: number
  replay: Omit<ReplayResult, 'repeats'>
  baselines: Record<string, RelevanceResult | null>
}

const readBefore = async (path: string): Promise<Before> => {
  const lines = (await readFile(path, 'utf8')).trim().split('\n')
  try {
    const { relevance, gate } = JSON.parse(lines.at(-1) ?? '') as Before
    if (typeof relevance.byTopic === 'object') return { relevance, gate }
  } catch (error) {
    throw new UsageError(`${path} does not end with the JSON object of an earlier measurement`, { cause: error })
  }
  throw new UsageError(`${path} does not end with the JSON object of an earlier measurement`)
}

/** How many pass the gate, and by topic also how well the scores are calibrated; each with the figure of before, if any. */
const gateTables = (gate: GateResult, relevance: RelevanceResult, before: Before | null): string[] => {
  const since = (now: number | null | undefined, then: number | null | undefined): string =>
    before === null ? number(now) : `${number(then)} → ${number(now)}`
  const overall = [
    `${since(gate.precision, before?.gate?.precision)} ${interval(gate.precisionCi)}`,
    `${since(gate.recall, before?.gate?.recall)} ${interval(gate.recallCi)}`,
  ]
  const topics = Object.entries(gate.byTopic).sort(
    ([a], [b]) => (relevance.byTopic[a] ?? 2) - (relevance.byTopic[b] ?? 2),
  )
  return [
    row(`Gate at ${gate.gate}`, 'precision', 'recall'),
    row('all', ...overall),
    '',
    row('Topic', 'nDCG@10', 'precision', 'promised', 'recall', 'relevant', 'expected'),
    ...topics.map(([topic, one]) => {
      const then = before?.gate?.byTopic[topic]
      return row(
        topic,
        since(relevance.byTopic[topic], before?.relevance.byTopic[topic]),
        since(one.precision, then?.precision),
        number(one.promised),
        since(one.recall, then?.recall),
        String(one.relevant),
        one.expected.toFixed(1),
      )
    }),
    '  (promised and expected: the precision and the count of relevant papers if every score were its probability)',
  ]
}

const tables = (report: Report, before: Before | null): string => {
  const { relevance, gate, trend, blend, votes, taste, excerpts, baselines, method } = report
  const lines = [
    `${report.papers} papers, ${report.judged} of them judged.`,
    method.trainedOn !== null
      ? `Measured by a model that was trained on ${method.trainedOn} judged papers of the history alone.`
      : method.flattered.length > 0
        ? 'No week was left out.'
        : 'No week of these was used to fit the model.',
  ]
  if (method.flattered.length > 0)
    lines.push(
      `The model was fitted to papers of ${method.flattered.join(', ')}, so these figures are too good: to train without them takes --history (${MIN_PAPERS} papers) and --history-labels (${MIN_JUDGED} papers).`,
    )
  const measured = (result: RelevanceResult): string[] => [
    `${number(result.ndcg10)} ${interval(result.ci)}`,
    `${number(result.squarely5)} ${interval(result.squarely5Ci)}`,
    result.weakest === null ? '' : `${number(result.weakest.ndcg10)} ${result.weakest.topic}`,
  ]
  lines.push(
    '',
    row('Relevance', 'nDCG@10', 'squarely in the first 5', 'weakest topic'),
    row('model', ...measured(relevance)),
  )
  for (const [name, result] of Object.entries(baselines))
    if (result !== null) lines.push(row(name, ...measured(result)))
  lines.push(
    `  (mean of ${relevance.cells} cells: a topic in a week with two or more relevant papers; squarely about the topic, of what could be)`,
  )
  if (gate !== null) lines.push('', ...gateTables(gate, relevance, before))
  if (trend !== null)
    lines.push(
      '',
      row('Trend of the morning', 'nDCG@10'),
      row('trend', `${number(trend.ndcg10)} ${interval(trend.ci)}`),
      row('plain upvotes', number(trend.plainUpvotes)),
      row('chance', number(trend.chance)),
      `  (${trend.papers} papers of ${trend.days} list days, against settled upvotes)`,
    )
  if (blend !== null) {
    lines.push('', row('Blend', 'utility nDCG@10', 'behind the blend', 'precision', 'topic coverage'))
    for (const [note, methods] of [
      ['', blend.methods],
      [', past the gate', blend.pastGate],
    ] as const)
      for (const [name, one] of Object.entries(methods))
        lines.push(
          row(
            name + note,
            `${number(one.utility)} ${interval(one.utilityCi)}`,
            name === 'blend' ? '' : `${number(one.behind)} ${interval(one.behindCi)}`,
            `${number(one.precision)} ${interval(one.precisionCi)}`,
            `${number(one.coverage)} ${interval(one.coverageCi)}`,
          ),
        )
    lines.push(`  (${blend.digests} weekly digests of ${blend.subscribers} simulated subscribers with 1 to 4 topics)`)
  }
  if (votes !== null) lines.push(...votesTables(votes))
  if (taste !== null) lines.push(...tasteTables(taste))
  if (excerpts !== null) {
    const shares = ({ ok, best }: Pick<ExcerptResult, 'ok' | 'best'>): string[] =>
      [ok, best].map((one) => `${number(one.mean)} ${interval(one.ci)}`)
    lines.push('', row('Excerpts begin', 'where they may', 'where it is best'), row('excerpt', ...shares(excerpts)))
    lines.push(row('first sentence', ...shares(excerpts.firstSentence)), `  (${excerpts.papers} papers)`)
  }
  lines.push('', `Repeats in a replay of ${report.replay.digests} digests: ${report.repeats}.`)
  return lines.join('\n')
}

/** Tastes are learnt in the last months of the history, whose upvotes of then stand for those of later. */
const DAYS_BEFORE = 300

const studyTasteOf = (
  given: {
    papers: readonly EvaluatedPaper[]
    listings: readonly Listing[]
    history: readonly Listing[]
    historyLabels: readonly Label[]
  },
  score: Scoring['score'],
): TasteResult | null => {
  const days = given.papers.map(({ listDay }) => listDay).sort()
  const first = given.papers.find(({ listDay }) => listDay === days[0])
  if (first === undefined) return null
  const oldest = addDays(first.listDay, -DAYS_BEFORE)
  const measured = new Set(given.papers.map(({ id }) => id))
  const early = given.history.map(({ paper: { id }, observation: { upvotes } }) => ({
    id,
    morning: upvotes,
    settled: upvotes,
  }))
  const before = joinPapers(
    given.history.filter(({ listDay }) => listDay >= oldest),
    given.historyLabels,
    early,
  ).papers.filter(({ id, week }) => !measured.has(id) && week < first.week)
  const all = [...before, ...given.papers]
  const trends = trendsOf(all, given.history)
  const papers = new Map([...given.history, ...given.listings].map(({ paper }) => [paper.id, paper]))
  const terms = new Map<string, readonly PaperTerm[]>()
  const candidates = all.map((paper, at): TasteCandidate => {
    const relevance = score(paper)
    const { authors = [], categories = [] } = papers.get(paper.id) ?? {}
    terms.set(paper.id, paperTerms({ ...paper, authors, topics: relevance.filter((one) => one.score >= GATE) }))
    return {
      ...paper,
      upvotes: paper.morning,
      relevance: explainedFits(relevance),
      trend: trends[at] ?? { percentile: 0, topPercent: null },
      categories,
    }
  })
  return studyTaste(candidates, first.week, ({ id }) => terms.get(id) ?? [])
}

const evaluate = async (options: Options): Promise<Report> => {
  const model = options.model === undefined ? SHIPPED_MODEL : await readModelFile(options.model)
  const listings = await readListings(options.papers, say)
  const labels = options.labels === undefined ? null : await readRowsFile(options.labels, readLabels, say)
  const upvotes = options.upvotes === undefined ? [] : await readRowsFile(options.upvotes, readUpvotes, say)
  const history = options.history === undefined ? [] : await readListings(options.history, say)
  const excerpts =
    options.excerpts === undefined ? [] : await readRowsFile(options.excerpts, readExcerptJudgements, say)
  const joined = joinPapers(listings, labels, upvotes)
  tellMismatches(joined)
  const { papers } = joined
  const progress = createProgress('training without these papers')
  const historyLabels =
    options.historyLabels === undefined ? [] : await readRowsFile(options.historyLabels, readLabels, say)
  const scoring = scoreAll(papers, model, { listings: history, labels: historyLabels }, progress)
  progress.end()
  const scores = scoresOf(scoring.relevance)
  const trends = trendsOf(papers, history)
  const candidates = papers.map(
    (paper, at): JudgedCandidate => ({
      ...paper,
      upvotes: paper.morning,
      relevance: explainedFits(scoring.relevance[at] ?? []),
      trend: trends[at] ?? { percentile: 0, topPercent: null },
    }),
  )
  const readings = papers.map(readPaper)
  const judged = judgedOf(papers).length
  const fullText = judged === 0 ? null : await scoreByFullText(papers)
  const { repeats, ...replayed } = replay(candidates)
  const { judged: _, ...fittedOn } = model.fittedOn
  return {
    papers: papers.length,
    judged,
    method: { model: fittedOn, trainedOn: scoring.trainedOn, flattered: scoring.flattered },
    relevance: studyRelevance(papers, scores),
    gate: studyGate(papers, scores, GATE),
    trend: studyTrend(papers, trends),
    blend: studyBlend(candidates),
    votes: studyVotes(candidates),
    taste: studyTasteOf({ papers, listings, history, historyLabels }, scoring.score),
    excerpts: studyExcerpts(papers, excerpts),
    repeats,
    replay: replayed,
    baselines: {
      'label words': studyRelevance(papers, scoreByLabels(readings)),
      'phrases counted': studyRelevance(papers, scoreByCounts(readings, model.phrases)),
      ts_rank_cd: fullText === null ? null : studyRelevance(papers, fullText),
      BM25F: studyRelevance(papers, scoreByPhrases(readings, model.phrases)),
    },
  }
}

const program = new Command('npm run eval --')
  .description('Measures relevance, trend and blend on judged papers, together with simpler methods.')
  .requiredOption('--papers <path>', 'a folder of Hugging Face API days (2026-04-14.json), or JSON Lines')
  .option('--labels <file>', 'judgements, JSON Lines: {"id": "2604.00001", "topics": {"robotics": 2}}')
  .option('--upvotes <file>', 'JSON Lines: {"id": "2604.00001", "upvotes_morning": 4, "upvotes_settled": 31}')
  .option(
    '--excerpts <file>',
    'where excerpts may begin, JSON Lines: {"id": "2604.00001", "ok": [0, 210], "best": 210}',
  )
  .option('--history <path>', 'papers of earlier days: for the trend, and to train a model that has not seen these')
  .option('--history-labels <file>', 'judgements of the history')
  .option('--before <file>', 'the JSON of an earlier measurement, to print its figures beside')
  .option('--model <file>', 'a model other than the shipped one')
  .option('--json', 'print one JSON object on the last line')
  .showHelpAfterError('(add --help for the options)')
  .exitOverride()
  .action(async (options: Options) => {
    const before = options.before === undefined ? null : await readBefore(options.before)
    const report = await evaluate(options)
    console.log(tables(report, before))
    if (options.json) console.log(JSON.stringify(rounded(report)))
  })

try {
  await program.parseAsync()
} catch (error) {
  endWith(error)
}
