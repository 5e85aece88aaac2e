/** A subscriber as lists of an operator show them, and as a row of an export that an import can read again. */
import { LIST_COLUMNS, type ListColumn } from './list-columns.ts'
import { namedTopics, type Preferences, type SubscriberState } from './preferences.ts'

export interface ListedSubscriber {
  id: string
  /** `null` of the erased. */
  email: string | null
  state: SubscriberState
  preferences: Preferences
  requestedAt: Date
  confirmedAt: Date | null
  leftAt: Date | null
  pausedUntil: string | null
  nextDueAt: Date | null
}

/** What an export has beside the columns of an import. */
const MORE_COLUMNS = ['requested_at', 'confirmed_at', 'left_at', 'paused_until', 'next_digest_at', 'id'] as const

/** A former link is stored as a hash alone, so that no export has one. */
const EXPORTED = LIST_COLUMNS.filter(
  (column): column is Exclude<ListColumn, 'legacy_token'> => column !== 'legacy_token',
)

export const EXPORT_COLUMNS = [...EXPORTED, ...MORE_COLUMNS] as const
type ExportColumn = (typeof EXPORT_COLUMNS)[number]

/** A row of an export by column: texts, lists as arrays; empty where there is nothing. */
export const exportRow = ({ preferences, ...subscriber }: ListedSubscriber) =>
  ({
    email: subscriber.email ?? '',
    topics: namedTopics(preferences),
    keywords: preferences.keywords,
    authors: preferences.authors,
    muted: preferences.muted,
    frequency: preferences.frequency,
    hour: preferences.hour,
    weekday: preferences.weekday,
    timezone: preferences.timeZone,
    papers: preferences.papers ?? 'usual',
    when_empty: preferences.whenEmpty,
    least_papers: preferences.leastPapers,
    at_once: preferences.atOnce ? 'yes' : 'no',
    state: subscriber.state,
    requested_at: subscriber.requestedAt.toISOString(),
    confirmed_at: subscriber.confirmedAt?.toISOString() ?? '',
    left_at: subscriber.leftAt?.toISOString() ?? '',
    paused_until: subscriber.pausedUntil ?? '',
    next_digest_at: subscriber.nextDueAt?.toISOString() ?? '',
    id: subscriber.id,
  }) satisfies Record<ExportColumn, string | number | string[]>

/** The same as cells of a table: entries of a list have `; ` between them, which none of them holds. */
export const exportCells = (subscriber: ListedSubscriber): string[] => {
  const row = exportRow(subscriber)
  return EXPORT_COLUMNS.map((column) => {
    const value = row[column]
    return Array.isArray(value) ? value.join('; ') : String(value)
  })
}
