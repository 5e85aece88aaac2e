/** The service is killed in the middle of an edition, ten times, and started again: what its subscribers get. */
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openDataFolder } from '../../src/adapters/postgres/data-folder.ts'
import { addDays } from '../../src/core/calendar.ts'
import { openDatabase } from '../../src/store/database.ts'
import { migrate } from '../../src/store/migrate.ts'
import { SENDING } from '../../workers/roles/mailer.ts'
import { openTestFolder } from '../support/fixtures/folder.ts'
import { LONDON_DAILY, storeDay, subscribe } from '../support/fixtures/newsletter.ts'
import { writeDays } from '../support/fixtures/papers.ts'
import { type Program, startProgram } from '../support/processes/program.ts'
import { startSmtpSinkProcess } from '../support/servers/smtp-sink-process.ts'

const READERS = 72
/** After how many digests of its edition the service is killed: in the first group, between groups, at the end. */
const KILL_AFTER = [1, 2, 5, 20, 40, 63, 64, 65, 70, 72]
/** Mails that a mailer holds claimed at a time, in each lane 64 at most (`newsletter/delivery`): no kill may duplicate more. */
const CLAIMED = 64 * SENDING.deliveries.lanes
const FIRST_EDITION = '2026-04-15'
const TOPICS = ['diffusion-lm', 'robotics']
const WITHIN = 90_000
/** A sink that has written nothing for so long, milliseconds, has nothing left of a sender that is dead. */
const wakeNobody = 400

interface Copy {
  messageId: string
  to: string
  /** The day of the message's `Date`, which is its edition's. */
  day: string
}

/** Follows the sink's log; `copies` grows by whole lines, each of which was on disk before its sender was answered. */
const followLog = (path: string) => {
  const copies: Copy[] = []
  let at = 0
  let rest = Buffer.alloc(0)
  const readOn = async () => {
    await using file = await open(path)
    const { size } = await file.stat()
    if (size === at) return
    const fresh = Buffer.alloc(size - at)
    await file.read(fresh, 0, fresh.length, at)
    at = size
    const text = Buffer.concat([rest, fresh])
    const end = text.lastIndexOf(10) + 1
    rest = text.subarray(end)
    for (const line of text.subarray(0, end).toString('utf8').split('\n').slice(0, -1)) {
      const { raw, to } = JSON.parse(line) as { raw: string; to: string }
      const [, messageId = ''] = /^Message-ID: (\S+)\r$/im.exec(raw) ?? []
      const [, date = ''] = /^Date: (.*)\r$/im.exec(raw) ?? []
      copies.push({ messageId, to, day: new Date(date).toISOString().slice(0, 10) })
    }
  }
  return {
    copies,
    async until(what: string, isSo: () => boolean): Promise<void> {
      const until = performance.now() + WITHIN
      for (;;) {
        await readOn()
        if (isSo()) return
        if (performance.now() > until) throw new Error(`not within ${WITHIN} ms: ${what}`)
        await new Promise((resume) => setTimeout(resume, 2))
      }
    },
  }
}

/** As a command opens it: beside the service, or alone, and then the Postgres that a killed service left is stopped first. */
const openFolder = async (folder: string) => {
  const { databaseUrl, close } = await openDataFolder(folder, 'command')
  const db = openDatabase(databaseUrl, { connections: 2, name: 'test', onError: () => undefined })
  return {
    db,
    databaseUrl,
    async [Symbol.asyncDispose]() {
      await db.destroy()
      await close()
    },
  }
}

const prepare = async (folder: string): Promise<void> => {
  await using opened = await openFolder(folder)
  await migrate(opened.databaseUrl)
  await storeDay(opened.db, '2026-04-10', TOPICS)
  for (let n = 0; n < READERS; n++)
    await subscribe(opened.db, `reader${n}@example.org`, LONDON_DAILY, new Date('2026-04-14T05:00:00Z'))
  // Only digests are tested here, so letters count as sent.
  await opened.db.updateTable('letters').set({ state: 'sent' }).execute()
}

const readLedger = async (folder: string) => {
  await using opened = await openFolder(folder)
  return await opened.db
    .selectFrom('deliveries')
    .innerJoin('subscribers', 'subscribers.id', 'deliveries.subscriber_id')
    .select(['deliveries.id', 'email', 'deliveries.state', 'resent'])
    .execute()
}

test('killed at any moment of an edition and started again, the service has sent every digest and counted every second copy', async () => {
  await using folder = await openTestFolder(0o711)
  const data = join(folder.path, 'data')
  const papers = join(folder.path, 'papers')
  const editions = KILL_AFTER.map((_, n) => addDays(FIRST_EDITION, n))
  const lastEdition = editions.at(-1) ?? ''
  // Each edition has the list of the day before, which was seen at nine in the morning.
  await writeDays(
    papers,
    editions.map((day) => addDays(day, -1)),
    TOPICS,
  )
  await using sink = await startSmtpSinkProcess({ log: join(folder.path, 'sink.log') })
  const log = followLog(join(folder.path, 'sink.log'))
  await prepare(data)

  const start = (clock: string): Program =>
    startProgram('main', [], {
      DATA_DIR: data,
      PORT: '0',
      SMTP_URL: sink.url,
      MAIL_FROM: 'Paper Round <round@example.net>',
      PAPER_SOURCES: `file:${papers}`,
      LOG_LEVEL: 'warn',
      CLOCK: clock,
    })
  const readersOf = (day: string) => new Set(log.copies.filter((copy) => copy.day === day).map((copy) => copy.to)).size
  /** How many copies there were in all when each kill had done its work. */
  const kills: number[] = []
  let stopped = false
  await using _ = {
    async [Symbol.asyncDispose]() {
      // A killed service leaves its Postgres running; the next to open the folder stops it.
      if (!stopped) await (await openFolder(data))[Symbol.asyncDispose]()
    },
  }

  for (const [n, after] of KILL_AFTER.entries()) {
    const day = editions[n] ?? ''
    const yesterday = editions[n - 1]
    // Started again it ends the edition in which it was killed, and then begins the next.
    await using service = start(`${day}T06:00:30Z`)
    if (yesterday !== undefined)
      await log.until(`everybody has the digest of ${yesterday}`, () => readersOf(yesterday) === READERS)
    await log.until(`${after} digests of ${day} are out`, () => readersOf(day) >= after)
    await service.end('SIGKILL')
    // The sink still logs what had reached it before the kill, and all of that before the next service sends.
    for (let known = -1; known < log.copies.length; ) {
      known = log.copies.length
      await new Promise((resume) => setTimeout(resume, wakeNobody))
      await log.until('the log is read', () => true)
    }
    kills.push(log.copies.length)
  }
  await using service = start(`${lastEdition}T20:00:00Z`)
  await service.said('is ready')
  // Those whose last outcome was not recorded are sent again, though all have a copy.
  const until = performance.now() + WITHIN
  let ledger = await readLedger(data)
  while (performance.now() < until && ledger.some(({ state }) => state !== 'sent')) ledger = await readLedger(data)
  expect(await service.end('SIGTERM')).toMatchObject({ code: 0 })
  await log.until('the log is read', () => true)
  stopped = true

  const copiesOf = Map.groupBy(log.copies.entries(), ([, { messageId }]) => messageId)
  expect(ledger).toHaveLength(READERS * editions.length)
  expect(copiesOf.size).toBe(ledger.length)
  const doubledBy = kills.map(() => 0)
  for (const { id, email, state, resent } of ledger) {
    const copies = copiesOf.get(`<${id}@example.net>`) ?? []
    expect({ email, state, counted: copies.length >= 1 && copies.length - 1 <= resent }).toEqual({
      email,
      state: 'sent',
      counted: true,
    })
    expect(new Set(copies.map(([, { to }]) => to))).toEqual(new Set([email]))
    for (const [n, [at]] of copies.entries()) {
      const [before] = copies[n - 1] ?? []
      if (before === undefined) continue
      const kill = kills.findLastIndex((then) => before < then && then <= at)
      expect(kill, 'no second copy without a kill between the two').toBeGreaterThanOrEqual(0)
      doubledBy[kill] = (doubledBy[kill] ?? 0) + 1
    }
  }
  expect(Math.max(...doubledBy), `second copies by kill: ${doubledBy}`).toBeLessThanOrEqual(CLAIMED)
}, 600_000)
