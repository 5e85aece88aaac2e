/** What operators see of the sources of papers, and reading them now instead of at the next hour. */
import { addDays, weekdayOf } from '../../core/calendar.ts'
import type { Actor } from '../../core/operator.ts'
import { recordAct } from '../../store/audit.ts'
import { countPapers } from '../../store/daily-figures.ts'
import type { Database } from '../../store/database.ts'
import { readRefreshes } from '../../store/refreshes.ts'

export interface SourceReport {
  /** As the settings name it, such as `arxiv:cs.CL+cs.LG`. */
  label: string
  /** Whether the settings name it now; one that they do not any more, or that was imported by hand, is not read. */
  isSet: boolean
  triedAt: Date | null
  succeededAt: Date | null
  /** Why it could not be read the last time; `null` where it could, or was not tried. */
  error: string | null
  /** Papers of the list days up to today, the newest first, as far as this kind of source brought them first. */
  days: { day: string; papers: number }[]
}

export interface SourceAdministration {
  read(): Promise<SourceReport[]>
  /** Asks for a reading of all sources; each keeps to its rate limit. */
  readNow(by: Actor): Promise<void>
}

export interface SourcePorts {
  db: Database
  now: () => Date
  /** The labels of the sources that are set. */
  labels: readonly string[]
  wake: (queueName: 'refresh') => Promise<void>
}

/** Weekdays that are shown: most sources have no lists at weekends. */
const DAYS = 7

export const createSourceAdministration = ({ db, now, labels, wake }: SourcePorts): SourceAdministration => ({
  async read() {
    const today = now().toISOString().slice(0, 10)
    const days = Array.from({ length: 3 * DAYS }, (_, back) => addDays(today, -back))
      .filter((day) => weekdayOf(day) <= 5)
      .slice(0, DAYS)
    const counts = await countPapers(db, days.at(-1) ?? today, today)
    const kept = new Map((await readRefreshes(db)).map((one) => [one.source, one]))
    const all = [...labels, ...[...kept.keys()].filter((label) => !labels.includes(label)).sort()]
    return all.map((label) => {
      const refresh = kept.get(label)
      const kind = label.split(':')[0]
      return {
        label,
        isSet: labels.includes(label),
        triedAt: refresh?.tried_at ?? null,
        succeededAt: refresh?.succeeded_at ?? null,
        error: refresh?.error ?? null,
        days: days.map((day) => ({
          day,
          papers: counts.find((one) => one.day === day && one.label === kind)?.count ?? 0,
        })),
      }
    })
  },
  async readNow(by) {
    await recordAct(db, { ...by, action: 'sources.read', subject: null, detail: { sources: [...labels] } }, now())
    await wake('refresh')
  },
})
