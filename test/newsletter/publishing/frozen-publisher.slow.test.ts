/** A publisher whose process stands still with a chunk's subscribers locked, for longer than anybody waits for it. */
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { publishDue } from '../../../src/newsletter/publishing/publisher.ts'
import { holdChunks, openDue, untilSomeWait } from '../../support/fixtures/due-newsletter.ts'
import { SILENT, wakeNobody } from '../../support/fixtures/newsletter.ts'
import { startChild } from '../../support/processes/child.ts'

const DUE = new Date('2026-04-15T06:00:00Z')
const PATIENCE = 180_000

test(
  'a publisher that stands still loses its chunk within a minute, and others publish it',
  async () => {
    await using newsletter = await openDue(10)
    const { db } = newsletter
    await using held = await holdChunks(db)
    await using frozen = startChild('publishing-process.ts', [newsletter.url, DUE.toISOString()])
    await untilSomeWait(db)
    process.kill(frozen.pid, 'SIGSTOP')
    await held.release()

    await expect
      .poll(async () => (await publishDue({ db, log: SILENT, wake: wakeNobody }, DUE)).owed, {
        interval: 500,
        timeout: PATIENCE,
      })
      .toBe(10)
    process.kill(frozen.pid, 'SIGCONT')
    await expect(frozen.line()).rejects.toThrow(/idle-in-transaction|Connection terminated|connection error/)
    const { rows } = await sql`select state, count(*)::int as count from deliveries group by state`.execute(db)
    expect(rows).toEqual([{ state: 'queued', count: 10 }])
  },
  PATIENCE + 30_000,
)
