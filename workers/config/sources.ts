/** The settings of papers: the sources that they come from, and the model that relates them to topics. */
import { resolve } from 'node:path'
import { ARXIV_CATEGORY } from '../../src/core/papers/paper.ts'
import { categorySlug, type PreprintServer } from '../../src/core/papers/preprint.ts'
import type { Settings } from './settings.ts'

export type SourceSetting =
  | { kind: 'huggingface' }
  /** At least one category, such as `cs.CL`. */
  | { kind: 'arxiv'; categories: string[] }
  /** Of all categories where none is named; such as `cell-biology`. */
  | { kind: 'biorxiv' | 'medrxiv'; categories: string[] }
  | { kind: 'file'; path: string }
  | { kind: 'sample' }

export interface SourceConfig {
  sources: SourceSetting[]
  /** The file of the relevance model, absolute; `null`: the one that ships with the project. */
  relevanceModel: string | null
}

export const readSources = ({ read }: Settings): SourceConfig => ({
  sources: read('PAPER_SOURCES', [{ kind: 'huggingface' }], (text) =>
    text.split(',').map((part) => readSource(part.trim())),
  ),
  relevanceModel: read('RELEVANCE_MODEL', null, (text) => resolve(text)),
})

/** One source as it is written in PAPER_SOURCES. Throws an error whose message is a clause that says what would be right. */
export const readSource = (setting: string): SourceSetting => {
  const [kind] = setting.split(':')
  if ((kind === 'huggingface' || kind === 'sample') && setting === kind) return { kind }
  if (kind === 'arxiv') return { kind, categories: readCategories(setting.slice('arxiv:'.length)) }
  if (kind === 'biorxiv' || kind === 'medrxiv') return { kind, categories: readPreprintCategories(setting, kind) }
  if (kind === 'file' && setting.length > 'file:'.length) return { kind, path: resolve(setting.slice('file:'.length)) }
  throw new Error(
    `does not know ${JSON.stringify(setting)}; write a comma list of huggingface, arxiv:cs.CL+cs.LG, biorxiv, biorxiv:neuroscience+genomics, medrxiv, file:PATH, sample`,
  )
}

/** The categories after the colon, as its pages write them or with hyphens; none without a colon. */
const readPreprintCategories = (setting: string, server: PreprintServer): string[] => {
  if (setting === server) return []
  const names = setting.slice(server.length + 1).split('+')
  const unknown = names.find((name) => !/^[A-Za-z]+(?:[ _-](?:and[ _-])?[A-Za-z]+)*$/.test(name.trim()))
  if (unknown !== undefined || setting[server.length] !== ':')
    throw new Error(
      `${JSON.stringify(unknown ?? setting)} is no category of ${server}; write them with hyphens, ${server}:${server === 'biorxiv' ? 'neuroscience+cell-biology' : 'oncology+infectious-diseases'}`,
    )
  return [...new Set(names.map(categorySlug))]
}

const readCategories = (text: string): string[] => {
  const categories = [...new Set(text.split('+').map((category) => category.trim()))]
  const unknown = categories.find((category) => !ARXIV_CATEGORY.test(category))
  if (unknown === '') throw new Error('arxiv needs its categories, such as arxiv:cs.CL+cs.LG')
  if (unknown !== undefined)
    throw new Error(`${JSON.stringify(unknown)} is no category of arXiv; write them as it does, arxiv:cs.CL+cs.LG`)
  return categories
}
