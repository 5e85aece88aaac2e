/** The role `scheduler`: reads the sources, and publishes what is due. */
import { samplePapers } from '../../src/adapters/sources/sample-papers.ts'
import { HOUR, MINUTE, SECOND } from '../../src/core/calendar.ts'
import type { Log } from '../../src/core/log.ts'
import { describeError } from '../../src/core/redact.ts'
import { checkEditions, createRefusalAlert } from '../../src/newsletter/feedback/edition-alarm.ts'
import { suppressFailing } from '../../src/newsletter/feedback/feedback.ts'
import { fillWithSample, refreshPapers } from '../../src/newsletter/intake.ts'
import { tick } from '../../src/newsletter/tick.ts'
import type { Database } from '../../src/store/database.ts'
import { readLastTick } from '../../src/store/last-tick.ts'
import { holdsAnyPapers } from '../../src/store/papers/papers.ts'
import { wereTried } from '../../src/store/refreshes.ts'
import type { Config } from '../config/config.ts'
import { openScorer } from '../scorer.ts'
import { openSources } from '../sources.ts'
import type { RoleContext } from './context.ts'

/** A start shows what the sources have if they answer within this time, and the sample otherwise. */
const PATIENCE_AT_START = 2 * SECOND
/** The first edition after a start waits so long for the sources at most. */
const PATIENCE_FOR_SOURCES = MINUTE
const REFRESH_EVERY = HOUR

/** Resolves when papers are there, or none are to be had at once. */
export const openScheduler = async ({ config, runtime, db, queue, wake }: RoleContext) => {
  const { now, log } = runtime
  const stop = new AbortController()
  const ports = { db, now, log, scorer: await openScorer(config), signal: stop.signal }
  const tellRefusals = createRefusalAlert({ db, log }, () => performance.now())
  const restarted = (await readLastTick(db)) !== null
  try {
    await queue.process('refresh', async () => {
      await refreshPapers(ports, openSources(config))
    })
    const papersRead = untilPapersAreRead(config, ports, () => stop.signal.aborted)
    await queue.process('tick', async () => {
      // What fell due while the service was away is published with the papers of that time, not with those it knew.
      await papersRead
      await tick({ db, log, wake, onUnknown: config.onUnknown }, now())
      await checkEditions({ db, log })
      await suppressFailing({ db, log })
      await tellRefusals()
    })
    await queue.schedule('refresh', REFRESH_EVERY)
    await queue.schedule('tick', MINUTE)
    // The first time both ring at once by themselves. After a restart their next ring may be an hour and a minute away,
    // while the settings may name other sources, and mail of the run before waits.
    if (restarted) for (const queueName of ['refresh', 'tick', 'letters', 'deliveries'] as const) await wake(queueName)
    await settleSample(config, ports, papersRead)
  } catch (error) {
    stop.abort()
    throw error
  }
  // A source may let us wait for longer than a stop may take.
  return { close: async () => stop.abort() }
}

interface Intake {
  db: Database
  now: () => Date
  log: Log
}

/** Resolves once every source was tried since now, in vain or not, or once nobody should wait for them any longer. */
const untilPapersAreRead = async (config: Config, { db, now, log }: Intake, stopping: () => boolean): Promise<void> => {
  const begun = now()
  const labels = openSources(config).map((source) => source.label)
  const until = performance.now() + PATIENCE_FOR_SOURCES
  try {
    while (!stopping() && performance.now() < until && !(await wereTried(db, labels, begun)))
      await new Promise((resume) => setTimeout(resume, SECOND / 20))
  } catch (error) {
    log.warn({ error: describeError(error) }, 'it could not be seen whether the sources were read')
  }
}

/** Waits a moment for the first papers; when none come and no mail leaves this machine, the sample fills in. */
const settleSample = async (config: Config, ports: Intake, papersRead: Promise<void>): Promise<void> => {
  if (await holdsAnyPapers(ports.db)) return
  await Promise.race([papersRead, new Promise((resume) => setTimeout(resume, PATIENCE_AT_START))])
  if (config.smtpUrl === null && !config.production) await fillWithSample(ports, samplePapers())
}
