/** The whole story of a seed that failed, written to a folder: what was planned, what happened when, and every message. */
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Trace } from './environment.ts'
import type { History } from './history.ts'
import type { LedgerRow } from './invariants.ts'

/** Not part of the repository. */
const FOLDER = '.faults'

export interface Story {
  /** What was planned and what was broken, line by line. */
  summary: string[]
  history: History
  ledger: LedgerRow[]
  traces: Trace[]
}

/** Writes the story of a seed, in place of an older one; `name` is that of its folder. Returns the folder's path. */
export const writeStory = async (name: string, { summary, history, ledger, traces }: Story): Promise<string> => {
  const folder = join(FOLDER, name)
  await rm(folder, { recursive: true, force: true })
  await mkdir(join(folder, 'messages'), { recursive: true })
  const write = (file: string, lines: string[]) => writeFile(join(folder, file), `${lines.join('\n')}\n`)
  await write('summary.txt', summary)
  await write('timeline.txt', ['by the machine           by the service', ...timelineOf(history)])
  await write(
    'ledger.jsonl',
    ledger.map((row) => JSON.stringify(row)),
  )
  const logs = Map.groupBy(traces, ({ where }) => where.replace(/^the (log of )?/, '').toLowerCase())
  for (const [where, of] of logs) await write(`${where}.log`, [of.map(({ text }) => text).join('')])
  for (const [n, { raw }] of history.copies.entries())
    await writeFile(join(folder, 'messages', `${String(n + 1).padStart(3, '0')}.eml`), raw, 'latin1')
  return folder
}

/** One line an event: the machine's time, the service's calendar, and what happened. */
const timelineOf = (history: History): string[] =>
  history.events().map(({ at, what }) => {
    const machine = new Date(performance.timeOrigin + at).toISOString()
    return `${machine} ${history.calendarAt(at).toISOString()} ${what}`
  })
