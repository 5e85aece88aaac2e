/** A relevance model in a file, as `npm run train` writes it. */
import { readFile } from 'node:fs/promises'
import type { RelevanceModel } from '../core/relevance/model.ts'
import { readModel, UnusableModel } from '../core/relevance/model-format.ts'

/** Throws `UnusableModel` when the file is no model of this version, and the system's own error when it cannot be read. */
export const readModelFile = async (path: string): Promise<RelevanceModel> => {
  const text = await readFile(path, 'utf8')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new UnusableModel(`${path} is cut short or no JSON: it cannot be a model.`, { cause: error })
  }
  return readModel(value)
}
