/** The relevance model of this installation: which one scores the papers, training a new one, and going back. */

import { LEAST_PAPERS, trainModel, UntrainableCorpus } from '../../test/evaluation/training.ts'
import type { Log } from '../core/log.ts'
import { holdBack, LEAST_OF_TRIAL, type ModelTrial, mayReplace, tryModel } from '../core/model-trial.ts'
import { fingerprintOf, type RelevanceModel, readModel, UnusableModel, writeModel } from '../core/relevance/model.ts'
import { createScorer, SHIPPED_MODEL, scoreTopics } from '../core/relevance/relevance.ts'
import type { Database } from '../store/database.ts'
import { rescore, type Score } from '../store/listings.ts'
import {
  putInUse,
  readArchive,
  readModelInUse,
  readModels,
  readScoredBy,
  readVersionInUse,
  type StoredModel,
  storeModel,
  storeScoredBy,
} from '../store/relevance-models.ts'

interface Used {
  /** `null` for the shipped model. */
  version: number | null
  model: RelevanceModel
}

/** What scores papers, and its name, by which stored scores are told from those of another. */
interface Scorer {
  name: string
  score: Score
}

const SHIPPED: Scorer = { name: `shipped ${fingerprintOf(SHIPPED_MODEL)}`, score: scoreTopics }

/** The scorer of the version used last, so that its megabyte is read once. */
let kept: (Scorer & { version: number }) | null = null

/** The model in use; the shipped one where none was trained, or where the stored one cannot be read, which `log` hears. */
const readUsed = async (db: Database, log?: Pick<Log, 'warn'>): Promise<Used> => {
  const stored = await readModelInUse(db)
  if (stored === undefined) return { version: null, model: SHIPPED_MODEL }
  try {
    return { version: stored.version, model: readModel(JSON.parse(stored.model)) }
  } catch (error) {
    if (!(error instanceof UnusableModel || error instanceof SyntaxError)) throw error
    const trouble = error instanceof UnusableModel ? error.message : 'it is cut short'
    log?.warn(
      { version: stored.version, trouble },
      'the relevance model cannot be used; the shipped one is used instead',
    )
    return { version: null, model: SHIPPED_MODEL }
  }
}

const readScorer = async (db: Database, log?: Pick<Log, 'warn'>): Promise<Scorer> => {
  const version = await readVersionInUse(db)
  if (version === null) return SHIPPED
  if (kept?.version === version) return kept
  const used = await readUsed(db, log)
  if (used.version === null) return SHIPPED
  kept = { version, name: `version ${version}`, score: createScorer(used.model) }
  return kept
}

/** How papers are scored now. */
export const readScore = async (db: Database): Promise<Score> => (await readScorer(db)).score

/**
 * Scores all papers anew where the stored scores are of another model than the one in use: after an update that ships
 * another, after training, after going back. Returns how many were scored; `onProgress` hears from 0 to 1.
 */
export const settleScores = async (
  db: Database,
  log: Pick<Log, 'warn'>,
  onProgress: (share: number) => void = () => undefined,
): Promise<number> => {
  const { name, score } = await readScorer(db, log)
  if ((await readScoredBy(db)) === name) return 0
  const scored = await rescore(db, score, onProgress)
  await storeScoredBy(db, name)
  return scored
}

export interface Retraining {
  /** `null` where the new model did worse on days it had not seen, and was thrown away. */
  version: number | null
  trial: ModelTrial
  papers: number
  rescored: number
}

/**
 * Trains a model on the papers held, tries it on the newest of their days beside the one in use, and if it does no worse
 * trains it on all, keeps it as a new version, puts it in use and scores all papers anew. The shipped model teaches what
 * nobody judged. Throws `UntrainableCorpus` where there are too few papers. `onProgress` hears from 0 to 1.
 */
export const retrain = async (
  { db, now, log }: { db: Database; now: () => Date; log: Pick<Log, 'warn'> },
  onProgress: (share: number) => void,
): Promise<Retraining> => {
  const archive = await readArchive(db)
  if (archive.length < LEAST_PAPERS)
    throw new UntrainableCorpus(
      `${archive.length} papers are held, which are too few to train on: it takes ${LEAST_PAPERS}. The model in use stays.`,
    )
  const { learnt, heldBack } = holdBack(archive)
  const by = { teacher: SHIPPED_MODEL }
  const current = await readUsed(db, log)
  const candidate = trainModel({
    papers: learnt,
    by,
    least: LEAST_OF_TRIAL,
    onProgress: (share) => onProgress(0.4 * share),
  })
  const trial = tryModel(candidate, current.model, heldBack)
  if (!mayReplace(trial)) return { version: null, trial, papers: archive.length, rescored: 0 }
  const model = trainModel({ papers: archive, by, onProgress: (share) => onProgress(0.4 + 0.4 * share) })
  const version = await storeModel(db, {
    trained_at: now(),
    model: writeModel(model),
    papers: model.fittedOn.papers,
    first_day: model.fittedOn.days?.[0] ?? null,
    last_day: model.fittedOn.days?.[1] ?? null,
    trial,
  })
  await putInUse(db, version)
  const rescored = await settleScores(db, log, (share) => onProgress(0.8 + 0.2 * share))
  return { version, trial, papers: archive.length, rescored }
}

/** Goes to another version, or with `null` back to the shipped model. `null` where there is no such version. */
export const changeModel = async (
  { db, log }: { db: Database; log: Pick<Log, 'warn'> },
  version: number | null,
  onProgress: (share: number) => void,
): Promise<{ rescored: number } | null> => {
  if (!(await putInUse(db, version))) return null
  return { rescored: await settleScores(db, log, onProgress) }
}

export const listModels = (db: Database): Promise<StoredModel[]> => readModels(db)
