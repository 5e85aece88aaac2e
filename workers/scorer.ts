/** The scorer of papers that the settings name. */
import { readModelFile } from '../src/adapters/relevance-model-file.ts'
import { createModelScorer, type Scorer, shippedScorer } from '../src/newsletter/relevance.ts'
import type { SourceConfig } from './config/sources.ts'

/** Opens the model of RELEVANCE_MODEL, or the one that ships with the project. Throws `UnusableModel`. */
export const openScorer = async ({ relevanceModel }: Pick<SourceConfig, 'relevanceModel'>): Promise<Scorer> =>
  relevanceModel === null ? shippedScorer() : createModelScorer(await readModelFile(relevanceModel))
