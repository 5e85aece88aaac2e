/** A row of a list of subscribers: who is to be imported with which preferences, or what is wrong with it. */
import { readSpreadsheetCell } from '../text/spreadsheet-cell.ts'
import { readAddress } from './address.ts'
import { isLegacyToken } from './legacy-token.ts'
import type { ColumnPlaces, ListColumn } from './list-columns.ts'
import { type FieldError, type Preferences, readNewPreferences } from './preferences.ts'

/** Somebody who agreed elsewhere. */
export interface ListedReader {
  address: string
  preferences: Preferences
  /** What the unsubscribe link of the former system ends with; `null` where the row has none. */
  legacyToken: string | null
}

export type ReadRow = { reader: ListedReader } | { errors: FieldError[] }

/** What former systems call somebody who gets mail; of anybody else nothing is imported. */
const ACTIVE = new Set(['', 'active', 'enabled', 'subscribed', 'confirmed'])

/** What a decoder puts where a file's octets are no text. */
const NO_TEXT = '\ufffd'

const NOT_TEXT = {
  problem: 'It has octets that are no text in this encoding.',
  expected: 'UTF-8, or the encoding that --encoding names, such as windows-1252',
}

/** Lists in a cell may have `;` or `|` between their entries. */
const topicsOf = (cell: string): string => cell.toLowerCase().replace(/[;|\r\n]+/g, ',')
/** `07:00` is the hour 7. */
const hourOf = (cell: string): string => cell.replace(/^(\d{1,2}):00(?::00)?$/, '$1')

const preferencesOf = (cell: (column: ListColumn) => string): Record<string, string> => ({
  topics: topicsOf(cell('topics')),
  keywords: cell('keywords'),
  authors: cell('authors'),
  muted: cell('muted'),
  frequency: cell('frequency').toLowerCase(),
  hour: hourOf(cell('hour')),
  weekday: cell('weekday'),
  timezone: cell('timezone'),
  papers: cell('papers').toLowerCase(),
  when_empty: cell('when_empty').toLowerCase(),
  least_papers: cell('least_papers'),
  at_once: cell('at_once').toLowerCase(),
})

/** Choices that are remembered; a list has few different ones, and reading one costs more than all else of a row. */
const MOST_REMEMBERED = 10_000

/**
 * Returns what reads rows of a file with these columns. `defaults` stand where a cell is empty or its column is missing.
 * Equal preferences are the same object, while there are not too many.
 */
export const createRowReader = (
  { places, width }: ColumnPlaces,
  defaults: ReadonlyMap<ListColumn, string> = new Map(),
): ((cells: readonly string[]) => ReadRow) => {
  const remembered = new Map<string, ReturnType<typeof readNewPreferences>>()
  const readChoices = (cell: (column: ListColumn) => string): ReturnType<typeof readNewPreferences> => {
    const raw = preferencesOf(cell)
    const key = Object.values(raw).join('\0')
    const known = remembered.get(key)
    if (known !== undefined) return known
    const read = readNewPreferences(raw)
    if (remembered.size >= MOST_REMEMBERED) remembered.clear()
    remembered.set(key, read)
    return read
  }
  return (cells) => {
    if (cells.length !== width) return { errors: [wrongWidth(cells.length, width)] }
    const cell = (column: ListColumn): string => {
      const place = places.get(column)
      const written = place === undefined ? '' : readSpreadsheetCell((cells[place] ?? '').trim())
      return written === '' ? (defaults.get(column) ?? '') : written
    }
    const errors: FieldError[] = []
    for (const column of places.keys()) if (cell(column).includes(NO_TEXT)) errors.push({ field: column, ...NOT_TEXT })
    if (errors.length > 0) return { errors }
    const read = readAddress(cell('email'))
    if ('problem' in read)
      errors.push({ field: 'email', problem: read.problem, expected: 'one address such as ada@example.org' })
    errors.push(...problemsOfState(cell('state')))
    const choices = readChoices(cell)
    if ('errors' in choices) errors.push(...choices.errors)
    const token = cell('legacy_token')
    if (token !== '' && !isLegacyToken(token)) errors.push(WRONG_TOKEN)
    if (errors.length > 0 || 'problem' in read || 'errors' in choices) return { errors }
    return { reader: { address: read.address, preferences: choices.preferences, legacyToken: token || null } }
  }
}

const wrongWidth = (cells: number, width: number): FieldError => ({
  field: 'row',
  problem: `The row has ${cells} ${cells === 1 ? 'cell' : 'cells'}, and the first line names ${width} ${width === 1 ? 'column' : 'columns'}.`,
  expected: `${width} ${width === 1 ? 'cell' : 'cells'}; in quotation marks where one holds the separator`,
})

const WRONG_TOKEN: FieldError = {
  field: 'legacy_token',
  problem: 'This can’t be the end of an unsubscribe link that nobody guesses.',
  expected: '12 to 200 letters, digits or . _ ~ = + @ : - of the link after its last slash, not digits alone',
}

const problemsOfState = (state: string): FieldError[] =>
  ACTIVE.has(state.toLowerCase())
    ? []
    : [
        {
          field: 'state',
          problem: 'The list says that this address is not subscribed.',
          expected: 'active; take out rows of everybody else',
        },
      ]
