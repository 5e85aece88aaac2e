/**
 * The metrics of the newsletter and of this process, for Prometheus: https://prometheus.io/docs/practices/naming/
 *
 * Figures of the newsletter are the database's, the same whichever process is asked: dashboards and rules take the highest.
 * Counters and histograms are this process's, and add up. No label has more values than there are states, kinds or sources.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from '@prometheus-io/client'

/** What is measured; ages in seconds, `null` when nothing waits. */
export interface Figures {
  openEditions: number
  pausedEditions: number
  brokenEditions: number
  deliveries: Record<string, number>
  resentDeliveries: number
  recent: { due: number; uncertain: number }
  overdue: number
  oldestDelivery: number | null
  letters: Record<string, number>
  oldestLetter: number | null
  oldestRequest: number | null
  /** Digests of the last seven days that bounced, by class, or drew a complaint. */
  feedback: Record<string, number>
  sinceTick: number | null
  subscribers: Record<string, number>
  confirmed: number
  /** By the source's label. */
  sourceAges: Record<string, number>
  relayThrottled: boolean
  capped: boolean
  held: boolean
  alarms: Record<string, number>
  setAside: { subscribers: number; signUps: number }
}

const MAIL_STREAMS = ['letters', 'deliveries', 'announcement_mails'] as const

/** What became of an attempt at a mail. */
export interface SentMail {
  stream: (typeof MAIL_STREAMS)[number]
  /** `sent`, `failed`, `deferred`, `skipped`, or `unknown`: nobody knows whether the server has it. */
  outcome: string
  /** Of a confirmation that was sent: seconds since it was asked for. */
  confirmedAfter?: number
}

export interface Metrics {
  contentType: string
  read(): Promise<string>
  countRequest(request: { method: string; status: number; seconds: number }): void
  countMail(mail: SentMail): void
}

/** Milliseconds for which figures are cached: counting a million deliveries takes a while. */
const CACHE_TIME = 15_000
/** Seconds. A page that takes a second is felt, one that takes ten is given up. */
const REQUEST_BUCKETS = [0.005, 0.025, 0.1, 0.25, 1, 2.5, 10]
/** Seconds; R-18: a confirmation that takes five minutes is missed. */
const CONFIRMATION_BUCKETS = [0.25, 1, 5, 30, 120, 300, 1_800, 7_200]
const METHODS = new Set(['GET', 'POST'])

const createProcessMetrics = (info: { version: string; roles: string }) => {
  const registry = new Registry()
  // Under the names that all programs use, which ready-made dashboards expect.
  collectDefaultMetrics({ register: registry })
  const registers = [registry]
  new Gauge({
    name: 'paper_round_build_info',
    help: 'Always 1: the version of this process, and its roles.',
    labelNames: ['version', 'roles'],
    registers,
  }).set(info, 1)
  const databaseUp = new Gauge({
    name: 'paper_round_database_up',
    help: '1 when the database answered this process; the figures of the newsletter are left out otherwise.',
    registers,
  })
  const requests = new Histogram({
    name: 'paper_round_http_request_duration_seconds',
    help: 'How long requests to the site took, by method and class of status.',
    labelNames: ['method', 'status'],
    buckets: REQUEST_BUCKETS,
    registers,
  })
  const mails = new Counter({
    name: 'paper_round_mails_total',
    help: 'Attempts at mails by this mailer, by what became of them.',
    labelNames: ['stream', 'outcome'],
    registers,
  })
  // A series that begins with its first fault shows no increase: Prometheus has to have seen it without.
  for (const method of METHODS) for (const status of ['2xx', '3xx', '4xx', '5xx']) requests.zero({ method, status })
  for (const stream of MAIL_STREAMS)
    for (const outcome of ['sent', 'deferred', 'failed', 'skipped', 'unknown']) mails.inc({ stream, outcome }, 0)
  const confirmations = new Histogram({
    name: 'paper_round_confirmation_duration_seconds',
    help: 'From the request of a confirmation until the mail server had it.',
    buckets: CONFIRMATION_BUCKETS,
    registers,
  })
  return {
    registry,
    databaseUp,
    countRequest: ({ method, status, seconds }: { method: string; status: number; seconds: number }) =>
      requests.observe(
        { method: METHODS.has(method) ? method : 'other', status: `${Math.floor(status / 100)}xx` },
        seconds,
      ),
    countMail: ({ stream, outcome, confirmedAfter }: SentMail) => {
      mails.inc({ stream, outcome })
      if (confirmedAfter !== undefined) confirmations.observe(confirmedAfter)
    },
  }
}

const createFigureMetrics = () => {
  const registry = new Registry()
  const gauge = (name: string, help: string, labelNames: string[] = []): Gauge<string> =>
    new Gauge({ name: `paper_round_${name}`, help, labelNames, registers: [registry] })
  const deliveries = gauge('deliveries', 'Deliveries of editions that are not complete, by state.', ['state'])
  const resent = gauge(
    'deliveries_resent',
    'Deliveries of editions that are not complete which may have arrived twice.',
  )
  const recentDue = gauge('recent_deliveries', 'Digests of the editions that began in the last 24 hours.')
  const uncertain = gauge('recent_deliveries_uncertain', 'Those that may have arrived twice, or not at all.')
  const letters = gauge('letters', 'Letters that wait, and those of the last 24 hours, by state.', ['state'])
  const open = gauge('editions_open', 'Editions that are not complete.')
  const paused = gauge('editions_paused', 'Editions that are paused.')
  const broken = gauge('editions_broken', 'Editions whose ledger does not add up.')
  const overdue = gauge('overdue_seconds', 'For how long the first subscriber who is due has not been published to.')
  const oldest = gauge('oldest_waiting_seconds', 'For how long the first mail that may be sent has waited.', ['stream'])
  const request = gauge(
    'oldest_request_seconds',
    'For how long the first who asked for a letter, such as a confirmation, has waited through no fault of their mailbox.',
  )
  const feedback = gauge('feedback', 'Digests of the last seven days that bounced, by class, or drew a complaint.', [
    'class',
  ])
  const subscribers = gauge('subscribers', 'Subscribers by state, counted every five minutes.', ['state'])
  const confirmed = gauge('subscribers_confirmed', 'Subscribers who confirmed in the last 24 hours.')
  const sources = gauge('source_age_seconds', 'Since each source of papers was read last.', ['source'])
  const relay = gauge('relay_throttled', '1 while the relay takes less than it is given, or nothing.')
  const capped = gauge('sending_capped', '1 while an operator’s cap or warm-up limits what is sent.')
  const held = gauge('held', '1 while an operator holds the service, or the database is read-only.')
  const alarms = gauge('alarms', 'Alarms of the service that stand, by kind.', ['kind'])
  const setAside = gauge('set_aside', 'Subscribers and sign-ups that fail for a reason of their own.', ['kind'])
  const tick = gauge('last_tick_age_seconds', 'Since the scheduler ticked last, by the clock of the service.')
  const setAll = (of: Gauge<string>, label: string, values: Record<string, number>) => {
    // A value that is not there any more must not stay.
    of.reset()
    for (const [key, value] of Object.entries(values)) of.set({ [label]: key }, value)
  }
  return {
    registry,
    update: (figures: Figures): void => {
      setAll(deliveries, 'state', figures.deliveries)
      resent.set(figures.resentDeliveries)
      recentDue.set(figures.recent.due)
      uncertain.set(figures.recent.uncertain)
      setAll(letters, 'state', figures.letters)
      open.set(figures.openEditions)
      paused.set(figures.pausedEditions)
      broken.set(figures.brokenEditions)
      overdue.set(figures.overdue)
      setAll(oldest, 'stream', { deliveries: figures.oldestDelivery ?? 0, letters: figures.oldestLetter ?? 0 })
      request.set(figures.oldestRequest ?? 0)
      setAll(feedback, 'class', figures.feedback)
      setAll(subscribers, 'state', figures.subscribers)
      confirmed.set(figures.confirmed)
      setAll(sources, 'source', figures.sourceAges)
      relay.set(figures.relayThrottled ? 1 : 0)
      capped.set(figures.capped ? 1 : 0)
      held.set(figures.held ? 1 : 0)
      setAll(alarms, 'kind', figures.alarms)
      setAll(setAside, 'kind', { subscriber: figures.setAside.subscribers, 'sign-up': figures.setAside.signUps })
      if (figures.sinceTick === null) tick.remove()
      else tick.set(figures.sinceTick)
    },
  }
}

/**
 * `readFigures` is called when the metrics are read, at most once in 15 seconds; where it rejects, `onError` is told, and
 * what is known of the process is answered alone, without figures from before. `monotonic`: milliseconds.
 */
export const createMetrics = (
  readFigures: () => Promise<Figures>,
  {
    info = { version: '', roles: '' },
    monotonic = () => performance.now(),
    onError = () => undefined,
  }: {
    info?: { version: string; roles: string }
    monotonic?: () => number
    onError?: (error: unknown) => void
  } = {},
): Metrics => {
  const { registry, databaseUp, countRequest, countMail } = createProcessMetrics(info)
  const figures = createFigureMetrics()
  let readAt = Number.NEGATIVE_INFINITY
  let reading: Promise<void> | null = null
  const refresh = (): Promise<void> => {
    if (monotonic() - readAt < CACHE_TIME) return Promise.resolve()
    reading ??= readFigures()
      .then((read) => {
        readAt = monotonic()
        figures.update(read)
      })
      .finally(() => {
        reading = null
      })
    return reading
  }
  return {
    contentType: registry.contentType,
    countRequest,
    countMail,
    async read() {
      const isUp = await refresh().then(
        () => true,
        (error) => {
          onError(error)
          return false
        },
      )
      databaseUp.set(isUp ? 1 : 0)
      return (await registry.metrics()) + (isUp ? `\n${await figures.registry.metrics()}` : '')
    },
  }
}
