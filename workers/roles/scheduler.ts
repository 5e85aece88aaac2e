/** The role `scheduler`: reads the sources, and publishes what is due. */

import { QUEUE_NAMES } from '../../src/adapters/queue/queue-names.ts'
import { samplePapers } from '../../src/adapters/sources/sample-papers.ts'
import { HOUR, MINUTE, SECOND } from '../../src/core/calendar.ts'
import type { Log } from '../../src/core/log.ts'
import { describeError } from '../../src/core/redact.ts'
import { fetchPickedPapers, type PaperLookup } from '../../src/newsletter/curation/picked-papers.ts'
import { fillWithSample, type IntakePorts, refreshPapers } from '../../src/newsletter/intake.ts'
import { tick } from '../../src/newsletter/tick.ts'
import type { Database } from '../../src/store/database.ts'
import { readLastTick } from '../../src/store/last-tick.ts'
import { holdsAnyPapers } from '../../src/store/papers/papers.ts'
import { wereTried } from '../../src/store/refreshes.ts'
import type { Config } from '../config/config.ts'
import { openScorer } from '../scorer.ts'
import { openPaperLookup, openSources } from '../sources.ts'
import type { RoleContext } from './context.ts'

/** A start shows the papers of the sources if they answer within this time, and the sample otherwise. */
const FIRST_PAPERS_TIMEOUT = 2 * SECOND
/** How long the first edition after a start waits for the sources. */
const SOURCES_TIMEOUT = MINUTE
const REFRESH_INTERVAL = HOUR

/** Resolves when there are papers, or when none can be had at once. */
export const openScheduler = async (context: RoleContext) => {
  const { config, db, queue, now, log, wake, requireSpace } = context
  const stop = new AbortController()
  const ports = { db, now, log, scorer: await openScorer(config), signal: stop.signal }
  const fetchPicked = createPickedFetch(ports, openPaperLookup(config, context.arxivUrl))
  const sources = openSources(config, context.preprintUrl)
  const restarted = (await readLastTick(db)) !== null
  try {
    await queue.process('refresh', async () => {
      await refreshPapers(ports, sources)
    })
    const papersRead = waitForPapers(config, ports, () => stop.signal.aborted)
    await queue.process('tick', async () => {
      // Beside the tick, since arXiv may take longer to answer than editions may wait.
      fetchPicked()
      // What fell due while the service was down is published with the papers of that time, not those from before.
      await papersRead
      const { onUnknown, retention } = config
      await tick({ db, log, wake, requireSpace, onUnknown, keepUnconfirmed: retention.unconfirmed }, now())
    })
    await queue.schedule('refresh', REFRESH_INTERVAL)
    await queue.schedule('tick', MINUTE)
    // New schedules wake their queues at once. After a restart the next wakes may be an hour and a minute away, while the
    // settings may name other sources, and mail of the run before waits.
    if (restarted) for (const name of QUEUE_NAMES) await wake(name)
    await settleSample(config, ports, papersRead)
  } catch (error) {
    stop.abort()
    throw error
  }
  // A source may take longer to answer than a stop may take.
  return { close: async () => stop.abort() }
}

interface IntakeContext {
  db: Database
  now: () => Date
  log: Log
}

/** Wait after arXiv could not be read, milliseconds: it is looked at at each tick whether anything is wanted. */
const PICKED_RETRY = 10 * MINUTE

/** Returns what begins to fetch picked papers, unless that is under way or failed a moment ago. */
const createPickedFetch = (ports: IntakePorts, lookup: PaperLookup) => {
  let running = false
  let notBefore = Number.NEGATIVE_INFINITY
  return (): void => {
    if (running || performance.now() < notBefore) return
    running = true
    void fetchPickedPapers(ports, lookup)
      .then(({ failed }) => {
        if (failed) notBefore = performance.now() + PICKED_RETRY
      })
      .catch((error) =>
        ports.log.error(
          { error: describeError(error) },
          'picked papers could not be fetched; the next tick tries again',
        ),
      )
      .finally(() => {
        running = false
      })
  }
}

/** Resolves when every source has been tried since now, with or without success, or when the time for it is over. */
const waitForPapers = async (
  config: Config,
  { db, now, log }: IntakeContext,
  stopping: () => boolean,
): Promise<void> => {
  const begun = now()
  const labels = openSources(config).map((source) => source.label)
  const until = performance.now() + SOURCES_TIMEOUT
  try {
    while (!stopping() && performance.now() < until && !(await wereTried(db, labels, begun)))
      await new Promise((resume) => setTimeout(resume, SECOND / 20))
  } catch (error) {
    log.warn(
      { error: describeError(error) },
      'the database did not say whether the sources were read; editions go on without waiting for them',
    )
  }
}

/** Waits a moment for the first papers; when none come and no mail leaves this machine, the sample takes their place. */
const settleSample = async (config: Config, ports: IntakeContext, papersRead: Promise<void>): Promise<void> => {
  if (await holdsAnyPapers(ports.db)) return
  await Promise.race([papersRead, new Promise((resume) => setTimeout(resume, FIRST_PAPERS_TIMEOUT))])
  if (config.smtpUrl !== null || config.production || !(await fillWithSample(ports.db, samplePapers()))) return
  // Where the sample itself is a source, it has only come late.
  if (!config.sources.some(({ kind }) => kind === 'sample'))
    ports.log.warn({}, 'no source could be read: showing the sample papers that ship with the project')
}
