/** Reading the sources by an operator's command, to store papers or as a dry run. */
import { SourceError } from '../src/core/papers/source-error.ts'
import { fetchPickedPapers } from '../src/newsletter/curation/picked-papers.ts'
import { type IntakePorts, refreshPapers, refreshSource } from '../src/newsletter/intake.ts'
import { type DryRun, dryRunSource } from '../src/newsletter/intake-dry-run.ts'
import type { Source } from '../src/newsletter/source.ts'
import type { Config } from './config/config.ts'
import { readSource, type SourceSetting } from './config/sources.ts'
import { UsageError } from './exit.ts'
import { openPaperLookup, openSources } from './sources.ts'

/** Reads one source instead of all that are set, and one list day (`YYYY-MM-DD`) instead of those that are due. */
interface FetchOptions {
  source?: string
  date?: string
}

/** The sources to read: those that are set, or one by name, which may be its kind alone where one of that kind is set. */
const sourcesToRead = (config: Config, { source: name, date }: FetchOptions): Source[] => {
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

/** Reads and stores papers. Throws `UsageError`, and `SourceError` when no source could be read. */
export const fetchPapers = async (
  config: Config,
  ports: IntakePorts,
  options: FetchOptions,
): Promise<{ answered: string[]; silent: string[] }> => {
  const sources = sourcesToRead(config, options)
  const labels = sources.map((source) => source.label)
  if (options.date !== undefined) {
    for (const source of sources) await refreshSource(ports, source, [options.date])
    return { answered: labels, silent: [] }
  }
  await fetchPickedPapers(ports, openPaperLookup(config))
  const answered = await refreshPapers(ports, sources)
  const silent = labels.filter((label) => !answered.includes(label))
  if (answered.length === 0)
    throw new SourceError(`no source could be read (${silent.join(', ')}); nothing was changed`)
  return { answered, silent }
}

export interface DryRuns {
  tried: DryRun[]
  failed: { source: string; error: string }[]
}

/** Reads papers and stores nothing. Throws `UsageError`, and `SourceError` when no source could be read. */
export const dryRunPapers = async (config: Config, ports: IntakePorts, options: FetchOptions): Promise<DryRuns> => {
  const tried: DryRun[] = []
  const failed: DryRuns['failed'] = []
  for (const source of sourcesToRead(config, options)) {
    try {
      tried.push(await dryRunSource(ports, source, options.date === undefined ? undefined : [options.date]))
    } catch (error) {
      if (!(error instanceof SourceError)) throw error
      failed.push({ source: source.label, error: error.message })
    }
  }
  if (tried.length === 0)
    throw new SourceError(failed.map(({ source, error }) => `${source} could not be read: ${error}`).join('; '))
  return { tried, failed }
}
