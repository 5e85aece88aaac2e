/** Reading sources at an operator's command: for good, or for a look. */
import { SourceTrouble } from '../src/core/papers/source-error.ts'
import { type IntakePorts, refreshPapers, refreshSource } from '../src/newsletter/intake.ts'
import { type Trial, trySource } from '../src/newsletter/intake-trial.ts'
import type { Source } from '../src/newsletter/source.ts'
import { type Config, readSource, type SourceSetting } from './config.ts'
import { UsageError } from './exit.ts'
import { openSources } from './sources.ts'

/** One source instead of all that are set, and one list day (`YYYY-MM-DD`) instead of those that are due. */
interface Wish {
  source?: string
  date?: string
}

/** The sources to read: those that are set, or one by name; by its kind alone where one of that kind is set. */
const sourcesToRead = (config: Config, { source: name, date }: Wish): Source[] => {
  const set = config.sources.filter((setting) => name === undefined || setting.kind === name)
  const sources = openSources({ ...config, sources: set.length > 0 || name === undefined ? set : [readNamed(name)] })
  if (date === undefined) return sources
  const lists = sources.filter((source) => source.kind === 'days')
  if (lists.length === 0)
    throw new UsageError(
      name === undefined ? 'none of PAPER_SOURCES has lists by day' : `${name} has no lists by day; leave out --date`,
    )
  return lists
}

const readNamed = (name: string): SourceSetting => {
  try {
    return readSource(name)
  } catch (error) {
    throw new UsageError(`--source ${(error as Error).message}`, { cause: error })
  }
}

/** Reads and stores. Throws `UsageError`, and `SourceTrouble` when no source could be read. */
export const fetchPapers = async (
  config: Config,
  ports: IntakePorts,
  wish: Wish,
): Promise<{ answered: string[]; silent: string[] }> => {
  const sources = sourcesToRead(config, wish)
  const labels = sources.map((source) => source.label)
  if (wish.date !== undefined) {
    for (const source of sources) await refreshSource(ports, source, [wish.date])
    return { answered: labels, silent: [] }
  }
  const answered = await refreshPapers(ports, sources)
  const silent = labels.filter((label) => !answered.includes(label))
  if (answered.length === 0)
    throw new SourceTrouble(`no source could be read (${silent.join(', ')}); nothing was changed`)
  return { answered, silent }
}

export interface Tried {
  tried: Trial[]
  failed: { source: string; trouble: string }[]
}

/** Reads and stores nothing. Throws `UsageError`, and `SourceTrouble` when no source could be read. */
export const tryPapers = async (config: Config, ports: IntakePorts, wish: Wish): Promise<Tried> => {
  const tried: Trial[] = []
  const failed: Tried['failed'] = []
  for (const source of sourcesToRead(config, wish)) {
    try {
      tried.push(await trySource(ports, source, wish.date === undefined ? undefined : [wish.date]))
    } catch (error) {
      if (!(error instanceof SourceTrouble)) throw error
      failed.push({ source: source.label, trouble: error.message })
    }
  }
  if (tried.length === 0)
    throw new SourceTrouble(failed.map(({ source, trouble }) => `${source} could not be read: ${trouble}`).join('; '))
  return { tried, failed }
}
