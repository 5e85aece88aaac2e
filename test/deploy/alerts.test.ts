/** The alert rules by themselves: valid, silent where nothing is known of, and exact at their thresholds. */
import { expect, test } from 'vitest'
import { createMetrics } from '../../src/adapters/metrics.ts'
import { firingAfter, NEEDS_PROMTOOL, PROMTOOL, promtool, RULES } from '../support/processes/prometheus.ts'

const suite = test.skipIf(PROMTOOL === null)

suite(`the rules are valid${NEEDS_PROMTOOL}`, () => {
  expect(promtool(['check', 'rules', RULES])).toMatchObject({
    ok: true,
    said: expect.stringContaining('12 rules found'),
  })
})

suite(`a large edition that goes out slowly raises none, and slow confirmations do${NEEDS_PROMTOOL}`, () => {
  const slow = (sent: number) => `paper_round_oldest_waiting_seconds{stream="deliveries"} 7200
paper_round_mails_total{stream="deliveries",outcome="sent"} ${sent}\n`
  expect(firingAfter([1, 2, 3].map((sent) => ({ scrape: slow(sent * 1000), minutes: 10 })))).toEqual([])
  expect(firingAfter([{ scrape: slow(1000), minutes: 30 }])).toEqual(['PaperRoundDigestsWait'])
  const metrics = createMetrics(async () => Promise.reject(new Error('not asked')))
  const bucket = async () => (await metrics.read()).replace(/^paper_round_database_up.*\n/m, '')
  return (async () => {
    const before = await bucket()
    for (let n = 0; n < 20; n++)
      metrics.countMail({ stream: 'letters', outcome: 'sent', confirmedAfter: n < 18 ? 2 : 900 })
    expect(
      firingAfter([
        { scrape: before, minutes: 20 },
        { scrape: await bucket(), minutes: 10 },
      ]),
    ).toEqual(['PaperRoundConfirmationsWait'])
  })()
})
