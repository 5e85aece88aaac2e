/** Measures tastes: what digests are worth to readers with hidden tastes after 0, 1, 5 and 20 presses. */
import { type RankedPaper, rankPapers, selectPapers, servedTopics } from '../../src/core/digest/ranking.ts'
import { MOST_LIFT, rankByTaste, STEEPNESS } from '../../src/core/digest/taste-ranking.ts'
import { createRandom } from '../../src/core/relevance/regression.ts'
import { kindOfTerm, type PaperTerm, termOfTopic } from '../../src/core/taste/paper-terms.ts'
import { decayed, HALF_LIFE_DAYS, LESS_COUNTS, learnTaste, type Press } from '../../src/core/taste/taste.ts'
import { createTermIndex } from '../../src/core/taste/term-index.ts'
import { CUTOFF, type Estimate, estimate, mean, ndcg } from './metrics.ts'
import {
  HIDDEN_TASTES,
  type HiddenTaste,
  pressIn,
  type SimulatedPress,
  simulateTasteReaders,
  type TasteCandidate,
  type TasteReader,
  worthTo,
} from './taste-simulation.ts'

export const PRESSES = [0, 1, 5, 20] as const
const READERS = 200
/** Presses are at most so many weeks old. */
const WEEKS_BEFORE = 26
/** The constants are chosen on so many weeks before those that are measured. */
const CHOSEN_ON = 8
const TRIAL_READERS = 100

/** What could be other than it is. */
interface Settings {
  halfLife: number
  less: number
  most: number
  steepness: number
  /** Whether topics of papers are learnt too, or words alone. */
  topics: boolean
}

const USED: Settings = {
  halfLife: HALF_LIFE_DAYS,
  less: LESS_COUNTS,
  most: MOST_LIFT,
  steepness: STEEPNESS,
  topics: true,
}

/** What was tried of each constant, on the weeks before. */
const TRIED: Partial<Record<keyof Settings, readonly number[]>> = {
  halfLife: [30, 60, 120],
  less: [0.25, 0.5, 1],
  most: [1.5, 2, 3],
  steepness: [2, 4, 8],
}

export interface TasteRow {
  taste: HiddenTaste
  /** Words and topics, or words alone. */
  terms: 'all' | 'words'
  presses: number
  /** Utility nDCG@10. */
  utility: Estimate
  /** How much more than without a press, reader by reader. */
  gain: Estimate
  /** Of the ten papers those that the reader likes. */
  liked: number
  /** A followed topic of a digest that had a paper without the taste, and has none with it. Must be 0. */
  topicsLost: number
}

export interface TasteResult {
  rows: TasteRow[]
  /** Gain after 20 presses of readers of all three tastes, by constants. */
  tried: { setting: string; value: number; used: boolean; gain: Estimate }[]
  readers: number
  weeks: string[]
  chosenOn: string[]
  digests: number
}

interface Week {
  week: string
  papers: readonly TasteCandidate[]
  /** The list day of its last paper, when presses are made. */
  at: Date
  index: ReturnType<typeof createTermIndex>
  words: ReturnType<typeof createTermIndex>
}

/** A reader's presses before a week, the newest first. */
interface History {
  reader: TasteReader
  week: Week
  presses: (SimulatedPress & { at: Date })[]
  /** The papers of the week without a taste, and what each of its papers is worth to the reader. */
  ranked: RankedPaper<TasteCandidate>[]
  plain: RankedPaper<TasteCandidate>[]
  worths: number[]
}

const choose = (week: Week, topics: readonly string[]) => {
  const ranked = rankPapers(week.papers, topics)
  return { ranked, chosen: selectPapers(ranked, topics, CUTOFF) }
}

/** What every reader pressed before each of some weeks; those who had less than the most presses are left out. */
const liveBefore = (readers: readonly TasteReader[], all: readonly Week[], measured: readonly Week[]): History[] => {
  const histories: History[] = []
  for (const [n, reader] of readers.entries()) {
    const random = createRandom(1_000 + n)
    const digests = all.map((week) => choose(week, reader.topics))
    const pressed = digests.map(({ chosen }, at) =>
      pressIn(
        reader,
        chosen.map(({ paper }) => paper),
        random,
      ).map((press) => ({ ...press, at: (all[at] as Week).at })),
    )
    for (const week of measured) {
      const at = all.indexOf(week)
      const presses = pressed
        .slice(Math.max(0, at - WEEKS_BEFORE), at)
        .flat()
        .reverse()
      const worths = week.papers.map((paper) => worthTo(reader, paper))
      // Nothing of a week in which nothing was worth anything can be ordered well or badly.
      if (presses.length < Math.max(...PRESSES) || !worths.some((worth) => worth > 0)) continue
      const { ranked, chosen: plain } = digests[at] as ReturnType<typeof choose>
      histories.push({ reader, week, presses, ranked, plain, worths })
    }
  }
  return histories
}

interface Measured {
  reader: TasteReader
  utility: number
  liked: number
  lost: number
}

type TermsOf = (paper: TasteCandidate) => readonly PaperTerm[]

const measure = (
  { reader, week, presses, ranked, plain, worths }: History,
  count: number,
  termsOf: TermsOf,
  settings: Settings,
): Measured => {
  const wanted = new Set(reader.topics)
  const followed = new Set(reader.topics.map(termOfTopic))
  const pressed = presses.slice(0, count)
  const learnt = pressed.map(
    ({ paper, direction, at }): Press => ({
      paperId: paper.id,
      direction,
      at,
      terms: termsOf(paper).filter(
        ({ term }) => (settings.topics || kindOfTerm(term) === 'words') && !followed.has(term),
      ),
    }),
  )
  // Learnt with the newest press, and older by now.
  const learntAt = pressed[0]?.at ?? week.at
  const left = decayed(learntAt, week.at, settings.halfLife)
  const weights = learnTaste(learnt, learntAt, {
    halfLife: settings.halfLife,
    less: settings.less,
  }).map((one) => ({ ...one, weight: one.weight * left }))
  const index = settings.topics ? week.index : week.words
  const byTaste = rankByTaste(ranked, index.fit(weights), settings.most, settings.steepness)
  const chosen = count === 0 ? plain : selectPapers(byTaste, reader.topics, CUTOFF)
  const served = servedTopics(chosen, wanted)
  return {
    reader,
    utility: ndcg(
      chosen.map(({ paper }) => worthTo(reader, paper)),
      worths,
    ),
    liked: chosen.length === 0 ? 0 : mean(chosen.map(({ paper }) => Number(reader.feelingOf(paper) === 'likes'))),
    lost: [...servedTopics(plain, wanted)].filter((topic) => !served.has(topic)).length,
  }
}

/** The mean of each reader's digests, so that an interval is over readers. */
const byReader = (rows: readonly { reader: TasteReader; value: number }[]): number[] =>
  [...Map.groupBy(rows, ({ reader }) => reader).values()].map((own) => mean(own.map(({ value }) => value)))

const study = (histories: readonly History[], counts: readonly number[], termsOf: TermsOf, settings: Settings) => {
  const measured = histories.map((history) => ({
    before: measure(history, 0, termsOf, settings),
    after: counts.map((count) => measure(history, count, termsOf, settings)),
  }))
  return counts.map((presses, n) => {
    const after = measured.map((one) => one.after[n] as Measured)
    return {
      presses,
      utility: estimate(byReader(after.map(({ reader, utility }) => ({ reader, value: utility })))),
      gain: estimate(
        byReader(
          measured.map(({ before }, at) => ({
            reader: before.reader,
            value: (after[at] as Measured).utility - before.utility,
          })),
        ),
      ),
      liked: mean(after.map(({ liked }) => liked)),
      topicsLost: after.reduce((sum, { lost }) => sum + lost, 0),
      digests: measured.length,
    }
  })
}

/**
 * Measured on the judged papers of the weeks from `from` on (`2026-W14`), which the model has not seen, with presses in weeks before; its constants are
 * tried on eight weeks before. `null` where too few weeks are given.
 */
export const studyTaste = (papers: readonly TasteCandidate[], from: string, termsOf: TermsOf): TasteResult | null => {
  const known = papers.filter(({ grades, settled }) => grades !== null && settled !== null)
  const terms = new Map(known.map((paper) => [paper.id, termsOf(paper)]))
  const all = [...Map.groupBy(known, ({ week }) => week)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([week, some]): Week => {
      const last = some.reduce((latest, { listDay }) => (listDay > latest ? listDay : latest), '')
      const indexOf = (isKept: (one: PaperTerm) => boolean) =>
        createTermIndex(some.map(({ id }) => ({ id, terms: (terms.get(id) ?? []).filter(isKept) })))
      return {
        week,
        papers: some,
        at: new Date(`${last}T12:00:00Z`),
        index: indexOf(() => true),
        words: indexOf(({ term }) => kindOfTerm(term) === 'words'),
      }
    })
  const measured = all.filter(({ week }) => week >= from)
  const before = all.filter(({ week }) => week < from)
  const trial = before.slice(-CHOSEN_ON)
  if (measured.length === 0 || before.length < CHOSEN_ON + 4) return null
  const termsOfPaper = (paper: TasteCandidate) => terms.get(paper.id) ?? []
  const result: TasteResult = {
    rows: [],
    tried: [],
    readers: READERS,
    weeks: measured.map(({ week }) => week),
    chosenOn: trial.map(({ week }) => week),
    digests: 0,
  }
  const trials: History[] = []
  for (const taste of HIDDEN_TASTES) {
    const readers = simulateTasteReaders(taste, READERS)
    const histories = liveBefore(readers, all, measured)
    trials.push(...liveBefore(readers.slice(0, TRIAL_READERS), before, trial))
    for (const [name, topics] of [
      ['all', true],
      ['words', false],
    ] as const)
      for (const { digests, ...row } of study(histories, PRESSES, termsOfPaper, { ...USED, topics })) {
        result.rows.push({ taste, terms: name, ...row })
        result.digests = Math.max(result.digests, digests)
      }
  }
  for (const [setting, values] of Object.entries(TRIED))
    for (const value of values) {
      const [row] = study(trials, [20], termsOfPaper, { ...USED, [setting]: value })
      if (row !== undefined)
        result.tried.push({ setting, value, used: USED[setting as keyof Settings] === value, gain: row.gain })
    }
  return result
}
