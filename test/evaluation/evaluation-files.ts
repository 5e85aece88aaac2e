/** Files that evaluation and training read, with a word on stderr about each row that could not be read. */
import { readFile } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'
import { readPaperFiles } from '../../src/adapters/sources/paper-files.ts'
import type { Listing } from '../../src/core/papers/paper.ts'
import { UsageError } from '../../workers/exit.ts'
import type { Rows } from './judged-papers.ts'

type Say = (text: string) => void

/** Of many problems of one file the first are told, and how many there are. */
const MOST_TOLD = 5

const tell = (file: string, problems: readonly { where: string; problem: string }[], say: Say): void => {
  for (const { where, problem } of problems.slice(0, MOST_TOLD)) say(`skipped: ${file}, ${where}: ${problem}`)
  if (problems.length > MOST_TOLD) say(`skipped: ${file}: ${problems.length - MOST_TOLD} rows more`)
}

const readText = async (file: string): Promise<string> => {
  const bytes = await readFile(file)
  if (!file.endsWith('.gz')) return bytes.toString('utf8')
  try {
    return gunzipSync(bytes).toString('utf8')
  } catch (error) {
    throw new UsageError(`${file} is packed, and damaged or cut short`, { cause: error })
  }
}

/** Reads a file of rows whole; one without any good row is refused. */
export const readRowsFile = async <Row>(file: string, read: (text: string) => Rows<Row>, say: Say): Promise<Row[]> => {
  const { rows, problems } = read(await readText(file))
  const [first] = problems
  if (rows.length === 0)
    throw new UsageError(
      `${file} holds no row that can be read${first === undefined ? '' : `: ${first.where}, ${first.problem}`}`,
    )
  tell(file, problems, say)
  return rows
}

/** Reads papers from a file or a folder. A paper without a day stands on none that is real, and is left out. */
export const readListings = async (path: string, say: Say): Promise<Listing[]> => {
  const listings: Listing[] = []
  // Nothing here depends on the day: papers that name none are of one that no list has.
  for await (const batch of readPaperFiles(path, { today: NO_DAY })) {
    tell(batch.file, batch.problems, say)
    listings.push(...batch.listings)
  }
  const dated = listings.filter(({ listDay }) => listDay !== NO_DAY)
  if (dated.length === 0) throw new UsageError(`${path} holds no paper with a list day`)
  if (dated.length < listings.length)
    say(`skipped: ${listings.length - dated.length} papers of ${path} without a list day`)
  return dated
}

const NO_DAY = '1970-01-01'
