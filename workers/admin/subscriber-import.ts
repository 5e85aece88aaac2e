/** `subscribers import`: brings a list along, with what its readers agreed to and the links that they have. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { type CsvFile, openCsv } from '../../src/adapters/csv/csv-reader.ts'
import { statedConsent } from '../../src/core/subscriber/consent.ts'
import { LIST_COLUMNS, type ListColumn, readColumnName, readHeader } from '../../src/core/subscriber/list-columns.ts'
import { createRowReader } from '../../src/core/subscriber/list-row.ts'
import { createCandidateCache } from '../../src/newsletter/publishing/candidate-cache.ts'
import { type Imported, importSubscribers } from '../../src/newsletter/subscription/import.ts'
import { readBusiestMoment } from '../../src/store/subscriber-list.ts'
import { UsageError } from '../exit.ts'
import { createProgress } from '../progress.ts'
import { counted } from './arguments.ts'
import { type CliContext, type RunCommand, wakeOrNotify } from './context.ts'
import { openRefusalFile } from './refusal-report.ts'

interface ImportArguments {
  consent: string
  column?: Map<ListColumn, string>
  default?: Map<ListColumn, string>
  encoding?: string
  separator?: string
  welcome?: boolean
  over?: number
  refused?: string
  dryRun?: boolean
}

/** Days over which first digests may begin. */
const MOST_DAYS = 60

/** A repeatable option `NAME=VALUE` of columns. */
const columnValue = (text: string, before = new Map<ListColumn, string>()): Map<ListColumn, string> => {
  const [, name = '', value = ''] = /^([^=]*)=(.*)$/s.exec(text) ?? []
  const column = readColumnName(name)
  if (column === null || value.trim() === '')
    throw new InvalidArgumentError(`write NAME=VALUE, with a NAME of ${LIST_COLUMNS.join(', ')}`)
  return new Map(before).set(column, value.trim())
}

const days = (text: string): number => {
  if (!/^[1-9]\d?$/.test(text) || Number(text) > MOST_DAYS)
    throw new InvalidArgumentError(`write a number of days from 1 to ${MOST_DAYS}`)
  return Number(text)
}

const separator = (text: string): string => {
  if (text.toLowerCase() === 'tab') return '\t'
  if (text.length !== 1 || text === '"') throw new InvalidArgumentError('write one character, or tab')
  return text
}

export const importCommand = (subscribers: Command, run: RunCommand): void => {
  subscribers
    .command('import')
    .description(
      'bring a list along: CSV whose first line names its columns, email and where there are topics, keywords, authors,\n' +
        'muted, frequency, hour, weekday, timezone, papers, when_empty, least_papers, at_once, state and legacy_token (what\n' +
        'the unsubscribe links of the former system end with). New readers get digests from their next regular time on, without confirming. Whoever is\n' +
        'known, has left, is suppressed or was erased stays as they are. Refused rows go to a file that can be mended and\n' +
        'imported. An import that was killed goes on when it is run again; - reads standard input',
    )
    .argument('<file>')
    .requiredOption(
      '--consent <text>',
      'where and when they agreed to these emails: it is put on record for each of them',
    )
    .option('--column <name=header>', 'the header of a column where it is another, such as email=Adresse', columnValue)
    .option('--default <name=value>', 'what stands where a cell is empty, such as timezone=Europe/London', columnValue)
    .option('--encoding <name>', 'such as windows-1252; by default UTF-8, or UTF-16 where the file shows it')
    .option('--separator <character>', 'between cells, or tab; by default as in the first line', separator)
    .option('--over <days>', 'begin with as many readers each day, over so many days', days)
    .option('--welcome', 'send each new reader a welcome, at most twenty a second')
    .option('--refused <file>', 'the report of refused rows; by default FILE.refused.csv, of - in DATA_DIR')
    .option('--dry-run', 'store nothing; print what would be, and write a report only where --refused names one')
    .action(async (path: string, options: ImportArguments) => {
      let accepted = 0
      await run(async (context) => {
        const result = await importList(context, path, options)
        accepted = result.rows - result.refused
        return result
      }, importText)
      if (accepted === 0) throw new UsageError('no row was accepted')
    })
}

interface ListImport extends Omit<Imported, 'named'> {
  dryRun: boolean
  /** Columns that were not imported. */
  ignored: string[]
  /** Where the refused rows are; `null` where there are none, or no report was asked for. */
  report: string | null
  /** The first refused rows. */
  problems: { line: number; column: string; problem: string; expected: string }[]
  /** The moment at which most digests are due, of the whole list. */
  busiest: { at: Date; count: number } | null
}

const importList = async (context: CliContext, path: string, options: ImportArguments): Promise<ListImport> => {
  const statement = statedConsent(options.consent)
  if (statement === null)
    throw new UsageError(
      '--consent must say where and when they agreed, such as "form on lab.example.org, 2019 to June 2026"',
    )
  const { dryRun = false } = options
  // In a container nothing else can be written to.
  const source = path === '-' ? join(context.config.dataDir, 'subscribers') : path
  const reportPath = options.refused ?? (dryRun ? null : `${source}.refused.csv`)
  const file = await openCsv(path, options)
  const columns = readHeader(file.header, options.column)
  requireDefaults(options.default)
  const report = openRefusalFile(reportPath, file.header, columns)
  const progress = createProgress('importing')
  try {
    const imported = await importSubscribers(context, file.rows, {
      key: importKey(file, options, statement.hash),
      statement,
      readRow: createRowReader(columns, options.default),
      report,
      overDays: options.over ?? 1,
      welcomes: options.welcome ? createCandidateCache(context) : undefined,
      dryRun,
      onProgress: (octets) => progress.show(octets, file.octets ?? 0),
    })
    if (imported.welcomes > 0 && !dryRun) await wakeOrNotify(context, 'letters')
    const { named, ...counts } = imported
    return {
      ...counts,
      dryRun,
      ignored: columns.ignored,
      report: imported.refused > 0 ? reportPath : null,
      problems: named.flatMap(({ line, errors }) =>
        errors.map(({ field, problem, expected }) => ({ line, column: field, problem, expected })),
      ),
      busiest: await readBusiestMoment(context.db),
    }
  } finally {
    progress.end()
    await report.close()
  }
}

/** What stands where a cell is empty is wrong for every row, or for none. */
const requireDefaults = (defaults: ReadonlyMap<ListColumn, string> = new Map()): void => {
  const read = createRowReader(
    { places: new Map([['email', 0]]), width: 1, ignored: [], refusals: new Set() },
    defaults,
  )
  const row = read(['ada@example.org'])
  if ('errors' in row)
    throw new UsageError(row.errors.map(({ field, problem }) => `--default ${field}: ${problem}`).join(' '))
}

/** Names a file and how it is read: an import that reads it in another way is another one. */
const importKey = (file: CsvFile, options: ImportArguments, statement: Buffer): Buffer | null => {
  if (file.fingerprint === null) return null
  const { column = new Map(), default: defaults = new Map(), encoding, separator: between, welcome, over } = options
  const how = JSON.stringify([[...column], [...defaults], encoding, between, welcome, over])
  return createHash('sha256').update(file.fingerprint).update(statement).update(how).digest()
}

const KEPT: Record<string, string> = {
  active: 'subscribed already',
  paused: 'paused',
  pending: 'asked to confirm here',
  unsubscribed: 'unsubscribed',
  suppressed: 'suppressed',
  erased: 'erased',
}

const number = (value: number): string => value.toLocaleString('en-GB')

const importText = (result: ListImport): string => {
  const { rows, imported, kept, refused, links, welcomes, resumedFrom, dryRun, busiest } = result
  const keptBy = Object.entries(kept).map(([state, count]) => `${number(count)} ${KEPT[state] ?? state}`)
  return [
    ...(dryRun ? ['Dry run: nothing was stored.'] : []),
    `${number(imported)} of ${counted(rows, 'row')} ${dryRun ? 'would be imported' : 'imported'}.`,
    ...(resumedFrom > 0 ? [`Went on after row ${number(resumedFrom)}, where an earlier import ended.`] : []),
    ...(keptBy.length > 0 ? [`Kept as they are: ${keptBy.join(', ')}.`] : []),
    ...(links > 0 ? [`Unsubscribe links of the former system: ${number(links)}.`] : []),
    ...(welcomes > 0 ? [`Welcomes to send: ${number(welcomes)}, at most twenty a second.`] : []),
    ...(result.ignored.length > 0 ? [`Columns that were not imported: ${result.ignored.join(', ')}.`] : []),
    ...(refused > 0 ? refusedLines(result) : []),
    ...(busiest === null || dryRun
      ? []
      : [`Most digests at one moment: ${number(busiest.count)}, due ${busiest.at.toISOString()}.`]),
  ].join('\n')
}

const refusedLines = ({ refused, report, problems }: ListImport): string[] => [
  `Refused: ${counted(refused, 'row')}${report === null ? '' : `, in ${report}. Mend them there and import that file`}.`,
  ...problems.map(({ line, column, problem }) => `  line ${line}, ${column}: ${problem}`),
]
