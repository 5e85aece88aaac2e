/** Figures as Prometheus reads them. */
import { expect, test } from 'vitest'
import { createMetrics } from '../../src/adapters/metrics.ts'

const FIGURES = {
  openEditions: 2,
  pausedEditions: 1,
  brokenEditions: 1,
  deliveries: { queued: 3, unknown: 4 },
  resentDeliveries: 5,
  oldestDelivery: 60.5,
  letters: { sent: 6 },
  oldestLetter: null,
  feedback: { ours: 7, complaint: 8 },
  sinceTick: null as number | null,
  subscribers: { active: 9 },
  confirmed: 10,
  sourceAges: { 'Hugging Face': 11 },
  relayThrottled: true,
  alarms: { relay: 1 } as Record<string, number>,
  setAside: { subscribers: 12, signUps: 13 },
}

test('every figure has its line, and one that is not known has none', async () => {
  const text = await createMetrics(async () => FIGURES).read()
  const lines = text.split('\n')
  for (const line of [
    'paper_round_deliveries{state="queued"} 3',
    'paper_round_deliveries{state="unknown"} 4',
    'paper_round_letters{state="sent"} 6',
    'paper_round_editions{which="broken"} 1',
    'paper_round_editions{which="paused"} 1',
    'paper_round_deliveries_resent 5',
    'paper_round_oldest_waiting_seconds{what="delivery"} 60.5',
    'paper_round_oldest_waiting_seconds{what="letter"} 0',
    'paper_round_feedback{class="ours"} 7',
    'paper_round_feedback{class="complaint"} 8',
    'paper_round_subscribers{state="active"} 9',
    'paper_round_subscribers_confirmed 10',
    'paper_round_source_age_seconds{source="Hugging Face"} 11',
    'paper_round_relay_throttled 1',
    'paper_round_alarms{kind="relay"} 1',
    'paper_round_set_aside{what="subscriber"} 12',
    'paper_round_set_aside{what="sign-up"} 13',
  ])
    expect(lines).toContain(line)
  expect(lines.filter((line) => line.startsWith('paper_round_last_tick_age_seconds '))).toEqual([])
  expect(text).toMatch(/^paper_round_process_resident_memory_bytes \d+$/m)
})

test('the database is asked once, however many scrape at the same time or soon after, and anew after a failure', async () => {
  let now = 0
  let asked = 0
  let broken = true
  const metrics = createMetrics(
    async () => {
      asked += 1
      if (broken) throw new Error('the database is away')
      return { ...FIGURES, sinceTick: asked }
    },
    () => now,
  )
  await expect(metrics.read()).rejects.toThrow('away')
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
  const metrics = createMetrics(
    async () => ({ ...FIGURES, alarms }),
    () => now,
  )
  expect(await metrics.read()).toContain('paper_round_alarms{kind="relay"} 1')
  alarms = { papers: 1 }
  now += 15_000
  const text = await metrics.read()
  expect(text).toContain('paper_round_alarms{kind="papers"} 1')
  expect(text).not.toContain('kind="relay"')
})
