/** `subscribers list`, `search` and `count`, and the list that `export` writes. */
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import type { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { csvLines } from '../../src/adapters/csv/csv-writer.ts'
import { isDate, readTimestamp } from '../../src/core/calendar.ts'
import { EXPORT_COLUMNS, exportCells, exportRow } from '../../src/core/subscriber/listed-subscriber.ts'
import { type Frequency, namedTopics, type SubscriberState } from '../../src/core/subscriber/preferences.ts'
import type { Database } from '../../src/store/database.ts'
import {
  countListed,
  listSubscribers,
  readSubscriberPages,
  type SubscriberCounts,
  type SubscriberFilter,
} from '../../src/store/subscriber-list.ts'
import { UsageError } from '../exit.ts'
import { counted, frequency, readTopicNames, someOf } from './arguments.ts'
import type { RunCommand } from './context.ts'

const STATES: readonly SubscriberState[] = ['pending', 'active', 'paused', 'unsubscribed', 'suppressed', 'erased']

export interface FilterOptions {
  state?: SubscriberState[]
  topic?: string
  frequency?: Frequency
  since?: Date
  until?: Date
}

/** A day, from its first moment in UTC, or an instant. */
const moment = (text: string): Date => {
  const found = readTimestamp(isDate(text) ? `${text}T00:00:00Z` : text)
  if (found === null) throw new InvalidArgumentError('write a day such as 2026-04-14, or 2026-04-14T05:00:00Z')
  return found
}

/** Adds the options by which subscribers are chosen. */
export const withFilters = (command: Command): Command =>
  command
    .option('--state <a,b>', `some of ${STATES.join(',')}`, someOf(STATES))
    .option('--topic <a,b>', 'who follows one of these at least, trending among them')
    .option('--frequency <daily|weekly>', 'who gets digests as often', frequency)
    .option('--since <day>', 'who subscribed then or later', moment)
    .option('--until <day>', 'who subscribed before', moment)

export const filterOf = (options: FilterOptions, text: string | null = null): SubscriberFilter => ({
  states: options.state ?? null,
  topics: options.topic === undefined ? null : namedTopics(readTopicNames(options.topic)),
  frequency: options.frequency ?? null,
  since: options.since ?? null,
  until: options.until ?? null,
  text,
})

/** Whether any of them is given. */
export const hasFilter = ({ state, topic, frequency, since, until }: FilterOptions): boolean =>
  [state, topic, frequency, since, until].some((value) => value !== undefined)

const MOST_LISTED = 10_000

const most = (text: string): number => {
  if (!/^[1-9]\d{0,4}$/.test(text) || Number(text) > MOST_LISTED)
    throw new InvalidArgumentError(`write a number up to ${MOST_LISTED}; export has no limit`)
  return Number(text)
}

type ListOptions = FilterOptions & { limit: number }

export const listCommands = (subscribers: Command, run: RunCommand): void => {
  const list = (options: ListOptions, text: string | null) =>
    run(
      async ({ db }) => {
        const filter = filterOf(options, text)
        return {
          all: (await countListed(db, filter)).all,
          subscribers: (await listSubscribers(db, filter, options.limit)).map(exportRow),
        }
      },
      ({ all, subscribers: rows }) => [listHead(all, rows.length), ...rows.map(lineOf)].join('\n'),
    )

  withFilters(subscribers.command('list').description('subscribers, the newest first'))
    .addOption(limitOption())
    .action((options: ListOptions) => list(options, null))

  withFilters(subscribers.command('search').description('subscribers by a part of their address, keywords or authors'))
    .argument('<text>', 'such as example.org')
    .addOption(limitOption())
    .action((text: string, options: ListOptions) => list(options, text))

  withFilters(
    subscribers.command('count').description('how many there are by state, and of those who get digests by choice'),
  ).action((options: FilterOptions) => run(({ db }) => countListed(db, filterOf(options)), countText))
}

const limitOption = (): Option => new Option('--limit <n>', 'how many at most').default(100).argParser(most)

const listHead = (all: number, shown: number): string =>
  shown < all ? `${counted(all, 'subscriber')}; the newest ${shown}:` : `${counted(all, 'subscriber')}.`

const lineOf = (row: ReturnType<typeof exportRow>): string =>
  [
    row.email || '(erased)',
    row.state,
    `${row.frequency} ${String(row.hour).padStart(2, '0')}:00 ${row.timezone}`,
    [...row.topics, ...row.keywords.map((one) => `“${one}”`), ...row.authors].join(', '),
    row.requested_at.slice(0, 10),
  ].join('\t')

const countText = ({ all, states, frequencies, topics: byTopic }: SubscriberCounts): string =>
  [
    `${String(all).padStart(9)}  subscribers`,
    ...Object.entries(states).map(([state, count]) => `${String(count).padStart(9)}  ${state}`),
    ...Object.entries(frequencies).map(([often, count]) => `${String(count).padStart(9)}  get ${often} digests`),
    ...byTopic.map(({ topic, count }) => `${String(count).padStart(9)}  follow ${topic}`),
  ].join('\n')

/** Rows of one statement of an export. */
const PAGE = 2_000

export type ExportFormat = 'csv' | 'jsonl'

/**
 * Writes a list to a file, which must be new, or to standard output, as CSV that a spreadsheet runs nothing of or as JSON
 * Lines; memory does not grow with it. Returns how many there are.
 */
export const exportList = async (
  db: Database,
  filter: SubscriberFilter,
  { format, out }: { format: ExportFormat; out: string | null },
): Promise<number> => {
  const sink = out === null ? process.stdout : await createNew(out)
  let count = 0
  try {
    if (format === 'csv') await write(sink, csvLines([EXPORT_COLUMNS]))
    for await (const page of readSubscriberPages(db, filter, PAGE)) {
      const text =
        format === 'csv'
          ? csvLines(page.map(exportCells))
          : page.map((one) => `${JSON.stringify(exportRow(one))}\n`).join('')
      // Whoever read the output has gone.
      if (!sink.writable) break
      await write(sink, text)
      count += page.length
    }
    if (out !== null) await finished(sink.end())
    return count
  } catch (error) {
    sink.destroy()
    if (out !== null) await rm(out, { force: true })
    throw error
  }
}

/** Only its owner may read it. */
const createNew = async (path: string): Promise<Writable> => {
  const file = createWriteStream(path, { flags: 'wx', mode: 0o600 })
  try {
    await once(file, 'open')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST')
      throw new UsageError(`${path} is there already; name another file`)
    throw error
  }
  return file
}

const write = async (sink: Writable, text: string): Promise<void> => {
  if (!sink.write(text))
    await once(sink, 'drain').catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
    })
}

/** What is said with every export, on standard error. */
export const PERSONAL_DATA =
  'This is personal data. Keep it where only those who need it can read it, and delete it once it has served.'
