/** The metrics of the newsletter and of this process, for Prometheus. */
import { collectDefaultMetrics, Gauge, Registry } from '@prometheus-io/client'

/** What is measured; ages in seconds, `null` when nothing waits. */
interface Figures {
  openEditions: number
  pausedEditions: number
  brokenEditions: number
  deliveries: Record<string, number>
  resentDeliveries: number
  oldestDelivery: number | null
  letters: Record<string, number>
  oldestLetter: number | null
  /** Digests of the last seven days that bounced, by class, or drew a complaint. */
  feedback: Record<string, number>
  sinceTick: number | null
  subscribers: Record<string, number>
  confirmed: number
  /** By the source's label. */
  sourceAges: Record<string, number>
  relayThrottled: boolean
  alarms: Record<string, number>
  setAside: { subscribers: number; signUps: number }
}

/** Milliseconds for which figures are cached: counting a million deliveries takes a while. */
const CACHE_TIME = 15_000

export interface Metrics {
  contentType: string
  read(): Promise<string>
}

/** `readFigures` is called when the metrics are read, at most once in 15 seconds. `monotonic`: milliseconds. */
export const createMetrics = (readFigures: () => Promise<Figures>, monotonic = () => performance.now()): Metrics => {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, prefix: 'paper_round_' })
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name: `paper_round_${name}`, help, labelNames, registers: [registry] })
  const deliveries = gauge('deliveries', 'Deliveries of editions that are not complete, by state.', ['state'])
  const letters = gauge('letters', 'Letters that wait, and those of the last 24 hours, by state.', ['state'])
  const editions = gauge('editions', 'Editions that are not complete; of these the paused, and the broken.', ['which'])
  const resent = gauge('deliveries_resent', 'Deliveries of open editions that may have arrived twice.')
  const oldest = gauge('oldest_waiting_seconds', 'For how long the first mail that may be claimed has waited.', [
    'what',
  ])
  const feedback = gauge('feedback', 'Digests of the last seven days that bounced, by class, or drew a complaint.', [
    'class',
  ])
  const subscribers = gauge('subscribers', 'Subscribers by state, counted every five minutes.', ['state'])
  const confirmed = gauge('subscribers_confirmed', 'Subscribers who confirmed in the last 24 hours.')
  const sources = gauge('source_age_seconds', 'Since each source of papers was read last.', ['source'])
  const relay = gauge('relay_throttled', '1 while the relay takes less than it is given, or nothing.')
  const alarms = gauge('alarms', 'Alarms that stand, by kind.', ['kind'])
  const setAside = gauge('set_aside', 'Subscribers and sign-ups that fail for a reason of their own.', ['what'])
  const tick = gauge('last_tick_age_seconds', 'Since the scheduler ticked last, by the clock of the service.')

  const update = (figures: Figures): void => {
    for (const [state, count] of Object.entries(figures.deliveries)) deliveries.set({ state }, count)
    for (const [state, count] of Object.entries(figures.letters)) letters.set({ state }, count)
    editions.set({ which: 'open' }, figures.openEditions)
    editions.set({ which: 'paused' }, figures.pausedEditions)
    editions.set({ which: 'broken' }, figures.brokenEditions)
    resent.set(figures.resentDeliveries)
    oldest.set({ what: 'delivery' }, figures.oldestDelivery ?? 0)
    oldest.set({ what: 'letter' }, figures.oldestLetter ?? 0)
    for (const [kind, count] of Object.entries(figures.feedback)) feedback.set({ class: kind }, count)
    for (const [state, count] of Object.entries(figures.subscribers)) subscribers.set({ state }, count)
    confirmed.set(figures.confirmed)
    for (const [source, age] of Object.entries(figures.sourceAges)) sources.set({ source }, age)
    relay.set(figures.relayThrottled ? 1 : 0)
    setAside.set({ what: 'subscriber' }, figures.setAside.subscribers)
    setAside.set({ what: 'sign-up' }, figures.setAside.signUps)
    // A kind that stands no more must not stay.
    alarms.reset()
    for (const [kind, count] of Object.entries(figures.alarms)) alarms.set({ kind }, count)
    if (figures.sinceTick === null) tick.remove()
    else tick.set(figures.sinceTick)
  }

  let readAt = Number.NEGATIVE_INFINITY
  let reading: Promise<void> | null = null
  const refresh = (): Promise<void> => {
    if (monotonic() - readAt < CACHE_TIME) return Promise.resolve()
    reading ??= readFigures()
      .then((figures) => {
        readAt = monotonic()
        update(figures)
      })
      .finally(() => {
        reading = null
      })
    return reading
  }
  return {
    contentType: registry.contentType,
    async read() {
      await refresh()
      return registry.metrics()
    },
  }
}
