/**
 * An operator's day, in a browser and by commands: a list is brought along, an edition loses its mailer, those who missed it
 * get it, a suppression is undone, and the database moves house and is the same there.
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { openQueue } from '../../src/adapters/queue/queue.ts'
import { openDatabase } from '../../src/store/database.ts'
import { messageIdOf } from '../faults/message-fields.ts'
import { NEEDS_CHROMIUM } from '../support/browser/browser.ts'
import { openSharedBrowser } from '../support/browser/shared-browser.ts'
import { openTestDatabase } from '../support/databases/postgres.ts'
import { openTestFolder } from '../support/fixtures/folder.ts'
import { writeDays } from '../support/fixtures/papers.ts'
import { runProgram, startProgram } from '../support/processes/program.ts'
import { openSmtpSink } from '../support/servers/smtp-sink.ts'

/** Rows of the list, and how many of them get digests daily: the others wait for their Saturday. */
const ROWS = 100_000
const DAILY = 1_500
/** Messages after which the mailer is killed. */
const KILLED_AFTER = 400
const TOPICS = ['robotics']
const EVENING = '2026-04-14T05:00:00Z'
const MORNING = '2026-04-14T06:00:30Z'
/** Its server says that it does not exist, until its operator mends that. */
const GONE = 'reader7@example.org'
const TOKEN = 'token-of-an-operator'.padEnd(43, '0')
const WHY = 'Their server was broken'
const PATIENCE = { timeout: 120_000, interval: 200 }

const rowOf = (n: number): string =>
  `reader${n}@example.org,${TOPICS[0]},${n < DAILY ? 'daily' : 'weekly'},Europe/London`

/** Everything that an operator has: a list, papers, a mail server, and a database that the service runs on. */
const openInstallation = async () => {
  const closers = new AsyncDisposableStack()
  const database = closers.use(await openTestDatabase())
  const elsewhere = closers.use(await openTestDatabase({ empty: true }))
  const folder = closers.use(await openTestFolder(0o711))
  let isGone = true
  let onMessage: () => void = () => undefined
  const sink = closers.use(
    await openSmtpSink({
      fault: ({ stage, to }) =>
        isGone && stage === 'rcpt' && to === GONE ? { reply: '550 5.1.1 No such user here' } : undefined,
      onMessage: () => onMessage(),
    }),
  )
  await writeDays(join(folder.path, 'papers'), ['2026-04-10', '2026-04-13'], TOPICS)
  const list = join(folder.path, 'list.csv')
  await writeFile(
    list,
    `email,topics,frequency,timezone\n${Array.from({ length: ROWS }, (_, n) => rowOf(n)).join('\n')}\n`,
  )
  const queue = await openQueue({ databaseUrl: database.url, redisUrl: null, workers: 0, onError: () => undefined })
  closers.defer(() => queue.close({ graceMs: 1_000 }))
  const db = openDatabase(database.url, { connections: 1, name: 'test', onError: () => undefined })
  closers.defer(() => db.destroy())
  const settings = {
    DATABASE_URL: database.url,
    SECRET_KEY: '07'.repeat(32),
    DATA_DIR: folder.path,
    ...{ PORT: '0', ADMIN_PORT: '0', ADMIN_TOKEN: TOKEN },
    SMTP_URL: sink.url,
    MAIL_FROM: 'Paper Round <round@example.net>',
    PAPER_SOURCES: `file:${join(folder.path, 'papers')}`,
    ON_UNKNOWN: 'hold',
    LOG_LEVEL: 'info',
  }
  return {
    ...{ folder, list, sink, elsewhere },
    start: (role: string) => closers.use(startProgram('main', role.split(' '), { ...settings, CLOCK: MORNING })),
    /** Runs a command, which must succeed, and returns what it printed. */
    async command(words: string[], over: Record<string, string> = {}): Promise<string> {
      const ended = await runProgram('admin', words, { ...settings, CLOCK: MORNING, ...over })
      if (ended.code !== 0) throw new Error(`${words.join(' ')} ended with ${ended.code}: ${ended.stderr}`)
      return ended.stdout
    },
    mendServer: () => {
      isGone = false
    },
    killAfter: (messages: number, kill: () => void) => {
      onMessage = () => {
        if (sink.count() >= messages) kill()
      }
    },
    tick: () => queue.wake('tick'),
    /** A minute goes by: what a dead mailer had claimed is nobody's any more, and the scheduler sees it. */
    async passAMinute() {
      await sql`update deliveries set lease_until = now() where state = 'sending'`.execute(db)
      await queue.wake('tick')
    },
    [Symbol.asyncDispose]: () => closers.disposeAsync(),
  }
}

/** What a service is compared by: all that an operator can be told of it. */
const SHOWN = [
  ['subscribers', 'count'],
  ['editions', 'list'],
  ['suppressions', 'list'],
  ['audit', 'list'],
]

describe.skipIf(NEEDS_CHROMIUM !== '')(`an operator${NEEDS_CHROMIUM}`, () => {
  test('brings a list along, sends an edition to those who missed it, undoes a suppression, and moves house', async () => {
    await using round = await openInstallation()
    const { sink } = round
    await round.command(['papers', 'import', join(round.folder.path, 'papers')], { CLOCK: EVENING })
    const words = ['subscribers', 'import', round.list, '--consent', 'the sign-up form of our lab, 2019 to 2026']
    expect(await round.command(words, { CLOCK: EVENING })).toContain(`${ROWS.toLocaleString('en-GB')} of ${ROWS} rows`)

    const service = round.start('api scheduler')
    const [, admin = ''] = /"admin":"([^"]+)"|admin +(http\S+)/.exec(await service.said('/admin')) ?? []
    await round.tick()
    const editionOf = async () => JSON.parse(await round.command(['--json', 'editions', 'list'])).editions[0]
    await expect.poll(async () => (await editionOf())?.publishedAt ?? null, PATIENCE).not.toBeNull()
    const { id } = await editionOf()

    await using browser = await openSharedBrowser()
    await using window = await browser.openWindow({ viewport: { width: 1280, height: 900 } })
    const { page } = window
    const told = (sentence: string | RegExp) => page.getByRole('status').filter({ hasText: sentence }).waitFor()
    await page.goto(admin)
    await page.getByLabel('Token').fill(TOKEN)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('navigation').getByRole('link', { name: 'Subscribers' }).click()
    expect(await page.getByRole('main').textContent()).toContain(`${ROWS.toLocaleString('en-GB')} in all`)

    // The mailer dies in the middle of its work.
    const mailer = round.start('mailer')
    round.killAfter(KILLED_AFTER, mailer.kill)
    await round.passAMinute()
    await sink.waitFor(KILLED_AFTER, PATIENCE.timeout)
    await mailer.end()
    const before = new Map(sink.messages.map(({ to, raw }) => [to, messageIdOf(raw)]))
    await round.passAMinute()
    await page.getByRole('navigation').getByRole('link', { name: 'Editions' }).click()
    await page.getByRole('link', { name: String(id), exact: true }).click()
    const shown = async () => {
      await page.reload()
      return (await page.getByRole('main').textContent()) ?? ''
    }
    await expect.poll(shown, PATIENCE).toMatch(/may or may not have arrived/)
    expect(await shown()).toMatch(/It adds up so far\./)

    // Another goes on, and leaves alone what nobody knows of.
    round.start('mailer')
    await expect
      .poll(async () => {
        await round.tick()
        return shown()
      }, PATIENCE)
      .toContain('It adds up: every delivery was counted')
    await page.getByRole('link', { name: 'See who, and why' }).click()
    await page.getByLabel('State').selectOption('unknown')
    await page.getByRole('button', { name: 'Show' }).click()
    const missed = await page.getByRole('row').count()
    expect(missed).toBeGreaterThan(1)

    await page.getByRole('link', { name: 'Send it to them' }).click()
    expect(await page.getByRole('main').textContent()).toMatch(/may get a second copy, with the same Message-ID/)
    await page.getByRole('button', { name: /^Send it to/ }).click()
    await told(/^Sending it again to \d+ readers?\./)
    const reached = () => new Set(sink.messages.map(({ to }) => to)).size
    await expect.poll(reached, PATIENCE).toBe(DAILY - 1)
    for (const { to, raw } of sink.messages)
      if (before.has(to)) expect([to, messageIdOf(raw)]).toEqual([to, before.get(to)])

    // One address was refused as unknown, for which its server was to blame.
    await page.getByRole('navigation').getByRole('link', { name: 'Suppressions' }).click()
    await page.getByRole('link', { name: `Undo for ${GONE}` }).click()
    expect(await page.getByRole('main').textContent()).toContain('550 5.1.1 No such user here')
    await page.getByLabel('Why').fill(WHY)
    await page.getByRole('button', { name: 'Let it be mailed again' }).click()
    await told(`${GONE} may be mailed again. The subscriber is active.`)
    round.mendServer()
    const again = ['editions', 'resend', String(id), '--state', 'failed', '--subscriber', GONE]
    expect(await round.command(again)).toContain('1 delivery put back in the queue')
    await expect.poll(reached, PATIENCE).toBe(DAILY)
    await expect
      .poll(async () => {
        await round.tick()
        return (await editionOf()).status
      }, PATIENCE)
      .toBe('complete')
    expect((await editionOf()).equation).toMatchObject({ due: DAILY, sent: DAILY, failed: 0, unknown: 0, missing: 0 })

    // What the reader asks who calls is answered by one page.
    await page.getByRole('navigation').getByRole('link', { name: 'Subscribers' }).click()
    await page.getByLabel('Address').fill(GONE)
    await page.getByRole('button', { name: 'Search' }).click()
    await page.getByRole('link', { name: GONE }).click()
    const history = (await page.getByRole('region', { name: 'History' }).textContent()) ?? ''
    for (const part of ['Digest of', ': sent', 'Failed before', 'Suppression removed', WHY, 'Imported with a list'])
      expect(history).toContain(part)
    const record = await round.command(['--json', 'audit', 'list'])
    for (const action of ['edition.resent', 'suppression.removed', 'subscribers.imported'])
      expect(record).toContain(action)

    const file = join(round.folder.path, 'paper-round.backup')
    await round.command(['backup', file])
    const there = { DATABASE_URL: round.elsewhere.url }
    await round.command(['restore', file], there)
    for (const command of SHOWN) {
      const shownOf = async (over: Record<string, string>) =>
        withoutMoves(await round.command(['--json', ...command], over))
      expect([command, await shownOf(there)]).toEqual([command, await shownOf({})])
    }
    expect(await round.command(['subscribers', 'export'], there)).toBe(await round.command(['subscribers', 'export']))
  }, 600_000)
})

/** Without what backing up and restoring themselves put on record. */
const withoutMoves = (json: string): unknown =>
  JSON.parse(json, (_, value) =>
    Array.isArray(value) ? value.filter((one) => !/^database\./.test(one?.action ?? '')) : value,
  )
