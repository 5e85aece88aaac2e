/** Reads the files of papers and judgements for evaluation and training, and tells which rows could not be read. */
import { readFile } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'
import { readPaperFiles } from '../../src/adapters/sources/paper-files.ts'
import type { Listing } from '../../src/core/papers/paper.ts'
import { UnreadablePapers } from '../../src/core/papers/paper-file.ts'
import type { Rows } from './judged-papers.ts'

type Say = (text: string) => void

/** The first problems of a file are told one by one, the others by their number. */
const MAX_TOLD = 5

const tell = (file: string, problems: readonly { where: string; problem: string }[], say: Say): void => {
  for (const { where, problem } of problems.slice(0, MAX_TOLD)) say(`skipped: ${file}, ${where}: ${problem}`)
  if (problems.length > MAX_TOLD) say(`skipped: ${file}: ${problems.length - MAX_TOLD} rows more`)
}

const readText = async (file: string): Promise<string> => {
  const bytes = await readFile(file)
  if (!file.endsWith('.gz')) return bytes.toString('utf8')
  try {
    return gunzipSync(bytes).toString('utf8')
  } catch (error) {
    throw new UnreadablePapers(`${file} is packed, and damaged or cut short`, { cause: error })
  }
}

/** Reads a file of rows, packed with gzip or not. Throws `UnreadablePapers` where no row can be read. */
export const readRowsFile = async <Row>(file: string, read: (text: string) => Rows<Row>, say: Say): Promise<Row[]> => {
  const { rows, problems } = read(await readText(file))
  const [first] = problems
  if (rows.length === 0)
    throw new UnreadablePapers(
      `${file} holds no row that can be read${first === undefined ? '' : `: ${first.where}, ${first.problem}`}`,
    )
  tell(file, problems, say)
  return rows
}

/** Reads papers from a file or a folder. Those without a list day are left out. Throws `UnreadablePapers` where none is left. */
export const readListings = async (path: string, say: Say): Promise<Listing[]> => {
  const listings: Listing[] = []
  // Papers that name no day get one that no list has, by which they are known below.
  for await (const batch of readPaperFiles(path, { today: NO_DAY })) {
    tell(batch.file, batch.problems, say)
    listings.push(...batch.listings)
  }
  const dated = listings.filter(({ listDay }) => listDay !== NO_DAY)
  if (dated.length === 0) throw new UnreadablePapers(`${path} holds no paper with a list day`)
  if (dated.length < listings.length)
    say(`skipped: ${listings.length - dated.length} papers of ${path} without a list day`)
  return dated
}

const NO_DAY = '1970-01-01'
