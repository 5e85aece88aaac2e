/** Figures as Prometheus reads them. */
import { expect, test } from 'vitest'
import { createMetrics } from '../../src/adapters/metrics.ts'
import { NEEDS_PROMTOOL, PROMTOOL, promtool, samplesOf } from '../support/processes/prometheus.ts'

const FIGURES = {
  openEditions: 2,
  pausedEditions: 1,
  brokenEditions: 1,
  deliveries: { queued: 3, unknown: 4 },
  resentDeliveries: 5,
  recent: { due: 1000, uncertain: 2 },
  overdue: 14,
  oldestDelivery: 60.5,
  letters: { sent: 6 },
  oldestLetter: null,
  oldestRequest: 15,
  feedback: { ours: 7, complaint: 8 },
  sinceTick: null as number | null,
  subscribers: { active: 9 },
  confirmed: 10,
  sourceAges: { 'Hugging Face': 11 },
  relayThrottled: true,
  capped: true,
  held: false,
  alarms: { relay: 1 } as Record<string, number>,
  setAside: { subscribers: 12, signUps: 13 },
}

test('every figure has its line, and one that is not known has none', async () => {
  const text = await createMetrics(async () => FIGURES, { info: { version: '1.2.3', roles: 'api+mailer' } }).read()
  const lines = text.split('\n')
  for (const line of [
    'paper_round_deliveries{state="queued"} 3',
    'paper_round_deliveries{state="unknown"} 4',
    'paper_round_letters{state="sent"} 6',
    'paper_round_editions_open 2',
    'paper_round_editions_broken 1',
    'paper_round_editions_paused 1',
    'paper_round_recent_deliveries 1000',
    'paper_round_recent_deliveries_uncertain 2',
    'paper_round_overdue_seconds 14',
    'paper_round_oldest_request_seconds 15',
    'paper_round_sending_capped 1',
    'paper_round_held 0',
    'paper_round_database_up 1',
    'paper_round_build_info{version="1.2.3",roles="api+mailer"} 1',
    'paper_round_deliveries_resent 5',
    'paper_round_oldest_waiting_seconds{stream="deliveries"} 60.5',
    'paper_round_oldest_waiting_seconds{stream="letters"} 0',
    'paper_round_feedback{class="ours"} 7',
    'paper_round_feedback{class="complaint"} 8',
    'paper_round_subscribers{state="active"} 9',
    'paper_round_subscribers_confirmed 10',
    'paper_round_source_age_seconds{source="Hugging Face"} 11',
    'paper_round_relay_throttled 1',
    'paper_round_alarms{kind="relay"} 1',
    'paper_round_set_aside{kind="subscriber"} 12',
    'paper_round_set_aside{kind="sign-up"} 13',
  ])
    expect(lines).toContain(line)
  expect(lines.filter((line) => line.startsWith('paper_round_last_tick_age_seconds '))).toEqual([])
  expect(text).toMatch(/^process_resident_memory_bytes \d+$/m)
})

test('requests and mails are counted by what became of them, in few series however many there are', async () => {
  const { countRequest, countMail, read } = createMetrics(async () => FIGURES)
  for (const method of ['GET', 'POST', 'PROPFIND', 'X-ANYTHING'])
    for (let status = 200; status < 600; status++) countRequest({ method, status, seconds: 0.3 })
  countMail({ stream: 'deliveries', outcome: 'sent' })
  countMail({ stream: 'letters', outcome: 'sent', confirmedAfter: 2 })
  const samples = samplesOf(await read())
  expect(samples.get('paper_round_mails_total{stream="deliveries",outcome="sent"}')).toBe(1)
  expect(samples.get('paper_round_confirmation_duration_seconds_bucket{le="5"}')).toBe(1)
  expect(samples.get('paper_round_confirmation_duration_seconds_bucket{le="1"}')).toBe(0)
  expect(samples.get('paper_round_http_request_duration_seconds_count{method="other",status="5xx"}')).toBe(200)
  expect([...samples.keys()].filter((name) => name.includes('http_request')).length).toBeLessThanOrEqual(3 * 4 * 10)
})

test.skipIf(PROMTOOL === null)(`the metrics keep Prometheus's rules for names and help${NEEDS_PROMTOOL}`, async () => {
  const metrics = createMetrics(async () => ({ ...FIGURES, sinceTick: 1 }))
  metrics.countRequest({ method: 'GET', status: 200, seconds: 1 })
  metrics.countMail({ stream: 'letters', outcome: 'sent', confirmedAfter: 1 })
  // What Node itself measures has the names that its dashboards expect.
  const own = (await metrics.read()).replace(/^(?:# \w+ )?nodejs_.*\n/gm, '')
  expect(promtool(['check', 'metrics'], own)).toEqual({ ok: true, said: '' })
})

test('the database is asked once, however many scrape at the same time or soon after, and anew after a failure', async () => {
  let now = 0
  let asked = 0
  let broken = true
  const told: string[] = []
  const metrics = createMetrics(
    async () => {
      asked += 1
      if (broken) throw new Error('the database is away')
      return { ...FIGURES, sinceTick: asked }
    },
    { monotonic: () => now, onError: (error) => void told.push((error as Error).message) },
  )
  // No figure of before passes for one of now, and the process is still to be seen.
  const without = await metrics.read()
  expect(without).toContain('paper_round_database_up 0\n')
  expect(without).toMatch(/^process_resident_memory_bytes \d+$/m)
  expect(without).not.toContain('paper_round_subscribers')
  expect(told).toEqual(['the database is away'])
  broken = false
  await Promise.all([metrics.read(), metrics.read()])
  expect(await metrics.read()).toContain('paper_round_last_tick_age_seconds 2\n')
  now += 15_000
  expect(await metrics.read()).toContain('paper_round_last_tick_age_seconds 3\n')
  expect(asked).toBe(3)
})

test('a kind of alarm that stands no more has no line', async () => {
  let now = 0
  let alarms: Record<string, number> = { relay: 1 }
  const metrics = createMetrics(async () => ({ ...FIGURES, alarms }), { monotonic: () => now })
  expect(await metrics.read()).toContain('paper_round_alarms{kind="relay"} 1')
  alarms = { papers: 1 }
  now += 15_000
  const text = await metrics.read()
  expect(text).toContain('paper_round_alarms{kind="papers"} 1')
  expect(text).not.toContain('kind="relay"')
})
