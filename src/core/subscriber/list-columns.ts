/** The columns of a list of subscribers as a table, and which of them a file has, by its first line. */
import { quoted } from '../text/text.ts'

/** A list cannot be read, or not as it is; the message says where, and what would be right. */
export class UnreadableList extends Error {}

/** What an import reads of a row, in the order in which it is told of; all but `email` may be missing. */
export const LIST_COLUMNS = [
  'email',
  'topics',
  'keywords',
  'authors',
  'muted',
  'frequency',
  'hour',
  'weekday',
  'timezone',
  'papers',
  'when_empty',
  'least_papers',
  'at_once',
  'state',
  'legacy_token',
] as const
export type ListColumn = (typeof LIST_COLUMNS)[number]

/** Names of the same columns in lists of others, without spaces, dashes, underscores and letter case. */
const OTHER_NAMES: Record<string, ListColumn> = {
  emailaddress: 'email',
  mail: 'email',
  status: 'state',
  interests: 'topics',
  tz: 'timezone',
}

/**
 * What the report of refused rows writes before a row: the line of the file, the columns that are wrong, what is wrong with
 * them, and what would be right. An import of the report reads none of it.
 */
export const REFUSAL_COLUMNS = ['refused_line', 'refused_column', 'refused_problem', 'refused_expected'] as const

const plain = (name: string): string => name.toLowerCase().replace(/[\s_-]+/g, '')
const BY_PLAIN_NAME = new Map<string, ListColumn>([
  ...LIST_COLUMNS.map((column) => [plain(column), column] as const),
  ...Object.entries(OTHER_NAMES),
])
const REFUSALS = new Set<string>(REFUSAL_COLUMNS.map(plain))

/** Where each column stands in a row, and what else the file has. */
export interface ColumnPlaces {
  places: ReadonlyMap<ListColumn, number>
  /** How many cells a row has. */
  width: number
  /** Names of columns that are not imported. */
  ignored: string[]
  /** Places of a former report's columns, which a new one leaves out. */
  refusals: ReadonlySet<number>
}

/** A column's name as a person writes it, or `null`. */
export const readColumnName = (text: string): ListColumn | null => BY_PLAIN_NAME.get(plain(text)) ?? null

/**
 * Where the columns stand by the first line of a file. `mapped` names the header of a column where it is another
 * (`email` of `Adresse`). Throws `UnreadableList` where there is no address, a header is missing, or two are the same.
 */
export const readHeader = (
  header: readonly string[],
  mapped: ReadonlyMap<ListColumn, string> = new Map(),
): ColumnPlaces => {
  const places = new Map<ListColumn, number>()
  const names = header.map((name) => name.trim())
  const headers = names
    .filter((name) => name !== '')
    .map(quoted)
    .join(', ')
  for (const [column, name] of mapped) {
    const place = names.findIndex((one) => one.toLowerCase() === name.trim().toLowerCase())
    if (place < 0) throw new UnreadableList(`there is no column ${quoted(name)}; the first line names ${headers}`)
    places.set(column, place)
  }
  const taken = new Set(places.values())
  const refusals = new Set<number>()
  const ignored: string[] = []
  for (const [place, name] of names.entries()) {
    if (taken.has(place)) continue
    const column = readColumnName(name)
    if (REFUSALS.has(plain(name))) refusals.add(place)
    else if (column === null || mapped.has(column)) {
      if (name !== '') ignored.push(name)
    } else if (places.has(column))
      throw new UnreadableList(
        `${quoted(names[places.get(column) ?? 0] ?? '')} and ${quoted(name)} are both ${column}; name the right one by --column ${column}=HEADER`,
      )
    else places.set(column, place)
  }
  if (!places.has('email')) throw new UnreadableList(missingAddress(names, headers))
  return { places, width: names.length, ignored, refusals }
}

const missingAddress = (names: readonly string[], headers: string): string =>
  names.some((name) => name.includes('@'))
    ? 'the first line is a row; write the names of the columns above it, such as email,topics'
    : `no column is called email; the first line names ${headers === '' ? 'nothing' : headers}. Say which has the addresses by --column email=HEADER`
