/** The whole stack of docker-compose.yml in real containers: the story of a reader, several mailers, stops and starts. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { addDays } from '../../src/core/calendar.ts'
import { openSite, type Site } from '../support/browser/http-client.ts'
import { originOfOwnRedis } from '../support/databases/origins.ts'
import { type Stack, startStack, until } from '../support/processes/compose-stack.ts'

const ROLES = ['api', 'scheduler', 'mailer', 'maintain']
const ADA = 'ada@example.org'
const GRACE = 'grace@example.net'
/** Enough that an edition can be observed, and stopped, while it is under way. */
const READERS = 3_000
const MINUTES = 60_000

const wanted = originOfOwnRedis().kind === 'container'
const today = new Date().toISOString().slice(0, 10)

interface Account {
  state: string
  nextDueAt: string | null
}

const titlesOf = (html: string): string[] => [
  ...new Set([...html.matchAll(/(Advances in [^<]*, report [\d.]+)/g)].map((found) => found[1] ?? '')),
]

describe.skipIf(!wanted)(`the stack${wanted ? '' : ' (skipped: needs Docker and TEST_SERVICES=containers)'}`, () => {
  let stack: Stack
  let site: Site
  beforeAll(async () => {
    stack = await startStack([-8, -7, -6, -5, -4, -3, -2, -1].map((days) => addDays(today, days)))
    site = openSite(stack.url)
  }, 15 * MINUTES)
  afterAll(() => stack?.[Symbol.asyncDispose](), 2 * MINUTES)

  const subscribe = async (email: string) => {
    const form = { email, topics: ['diffusion-lm', 'robotics'], frequency: 'daily', timezone: 'Europe/London' }
    expect((await site.post('/subscribe', form)).text).toMatch(/check your inbox/i)
    const confirmation = await stack.waitForMail(email, 1)
    expect((await site.post(confirmation.links.get('confirm') ?? '')).status).toBe(200)
    return stack.waitForMail(email, 2)
  }
  /** Publishes what this reader has due next, with the papers of the day before; resolves to the number of deliveries. */
  const publishNextOf = async (email: string): Promise<number> => {
    const { nextDueAt } = await stack.admin<Account>('subscribers', 'show', email)
    if (nextDueAt === null) throw new Error(`nothing is due to ${email}`)
    await stack.addDays([addDays(nextDueAt.slice(0, 10), -1)])
    await stack.admin('papers', 'fetch')
    return (await stack.admin<{ owed: number }>('editions', 'publish', '--at', nextDueAt, '--yes')).owed
  }
  const outcomes = async (): Promise<Record<string, number>> => {
    const rows = await stack.query('select state, count(*) from deliveries group by state')
    return Object.fromEntries(rows.map(([state, count]) => [state, Number(count)]))
  }

  test('runs without privileges, on a read-only file system, and publishes no port but the site’s', async () => {
    for (const role of ROLES) {
      const [id = ''] = await stack.containers(role)
      expect(await stack.docker('exec', id, 'id', '-u')).toBe('1000')
      await expect(stack.docker('exec', id, 'touch', '/app/a-file')).rejects.toThrow(/read-only file system/i)
    }
    for (const store of ['postgres', 'redis', 'scheduler', 'mailer']) {
      const [id = ''] = await stack.containers(store)
      expect(await stack.docker('port', id)).toBe('')
    }
    const [migrate = ''] = await stack.containers('migrate')
    expect(await stack.docker('inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', migrate)).toBe('exited 0')
  })

  test(
    'serves a reader from subscribing to the one click that ends it',
    async () => {
      expect((await site.get('/')).status).toBe(200)
      // Drawn by an optional package, which the image must have nevertheless.
      const picture = await site.get('/share.png')
      expect([picture.status, picture.headers.get('content-type')]).toEqual([200, 'image/png'])
      const welcome = await subscribe(ADA)
      await subscribe(GRACE)
      const welcomed = titlesOf(welcome.html)
      expect(welcomed.length).toBeGreaterThan(0)

      expect(await publishNextOf(ADA)).toBe(2)
      const digest = await stack.waitForMail(ADA, 3)
      const fresh = titlesOf(digest.html)
      expect(fresh.length).toBeGreaterThan(0)
      expect(fresh.filter((title) => welcomed.includes(title))).toEqual([])
      expect(digest.headers.get('list-unsubscribe-post')).toBe('List-Unsubscribe=One-Click')

      const oneClick = /^<https?:\/\/[^/]+(\/.*)>$/.exec(digest.headers.get('list-unsubscribe') ?? '')?.[1] ?? ''
      expect((await site.post(oneClick, { 'List-Unsubscribe': 'One-Click' })).status).toBe(200)
      expect(await stack.admin<Account>('subscribers', 'show', ADA)).toMatchObject({ state: 'unsubscribed' })
      expect(await publishNextOf(GRACE)).toBe(1)
      await stack.waitForMail(GRACE, 4)
      expect(await stack.mailsTo(ADA)).toHaveLength(3)
    },
    MINUTES,
  )

  test(
    'shares an edition among three mailers, and each reader gets one copy',
    async () => {
      const copied = `state, topics, frequency, hour, weekday, time_zone, requested_at, confirmed_at, next_due_at,
      last_digest_id, last_cutoff, last_due_at, last_local_date`
      await stack.query(`insert into subscribers (email, ${copied})
      select 'reader' || n || '@example.org', ${copied} from subscribers, generate_series(1, ${READERS - 1}) n
      where email = '${GRACE}'`)
      await stack.compose('up', '-d', '--scale', 'mailer=3', '--no-recreate')
      await stack.become('healthy', 'mailer')
      expect(await stack.containers('mailer')).toHaveLength(3)

      const before = await stack.count()
      expect(await publishNextOf(GRACE)).toBe(READERS)
      await until('all have their digest', async () => (await stack.count()) >= before + READERS)
      const messages = await stack.messagesAfter(before)
      expect(new Set(messages.map((message) => message.to)).size).toBe(READERS)
      expect(messages).toHaveLength(READERS)
      const shares = [...Map.groupBy(messages, (message) => message.client).values()].map((share) => share.length)
      console.log(`one edition of ${READERS}, by three mailers: ${shares.join(' + ')}`)
      expect(shares).toHaveLength(3)
      expect(Math.min(...shares)).toBeGreaterThan(READERS / 10)
    },
    2 * MINUTES,
  )

  test(
    'stops within ten seconds in the middle of an edition, with nothing half-done, and goes on when it is started',
    async () => {
      const before = await stack.count()
      expect(await publishNextOf(GRACE)).toBe(READERS)
      await until('some are out', async () => (await stack.count()) > before + READERS / 20)
      const mailers = await stack.containers('mailer')
      const stop = async (id: string) => {
        const begun = performance.now()
        await stack.docker('stop', id)
        return performance.now() - begun
      }
      const tookMs = Math.max(...(await Promise.all(mailers.map(stop))))
      for (const id of mailers) expect(await stack.docker('inspect', '-f', '{{.State.ExitCode}}', id)).toBe('0')
      const out = (await stack.count()) - before
      console.log(`three mailers stopped within ${(tookMs / 1000).toFixed(1)} s, ${out} of ${READERS} digests were out`)
      expect(tookMs).toBeLessThan(10_000)
      expect(out).toBeLessThan(READERS)
      expect(await stack.query("select count(*) from deliveries where state = 'sending'")).toEqual([['0']])
      const { sent = 0, queued = 0 } = await outcomes()
      expect(queued).toBe(READERS - out)

      await stack.docker('start', ...mailers)
      await until('the rest is out', async () => ((await outcomes()).sent ?? 0) === sent + queued)
      expect((await stack.count()) - before).toBe(READERS)
      expect(await stack.query('select sum(resent) from deliveries')).toEqual([['0']])
    },
    3 * MINUTES,
  )

  test(
    'has everything again after a stop and a start, and after its containers were created again',
    async () => {
      const snapshot = async () => ({
        subscribers: await stack.query('select state, count(*) from subscribers group by state order by state'),
        outcomes: await outcomes(),
        mails: await stack.count(),
      })
      const before = await snapshot()
      const [digest] = (await stack.mailsTo(GRACE)).slice(-1)
      for (const [end, begin] of [
        [['stop'], ['start']],
        [['down'], ['up', '-d']],
      ] as const) {
        await stack.compose(...end)
        await stack.compose(...begin)
        await stack.become('healthy', ...ROLES)
        expect(await snapshot()).toEqual(before)
        // Links are derived from the key, so this shows that the key is the same.
        expect((await site.get(digest?.links.get('digests') ?? '')).status).toBe(200)
        expect((await site.get(digest?.links.get('preferences') ?? '')).text).toContain('g•••@example.net')
      }
      expect(titlesOf((await subscribe('alan@example.org')).html).length).toBeGreaterThan(0)
    },
    5 * MINUTES,
  )

  test(
    'shows each role as unhealthy while the database is away, and as healthy afterwards',
    async () => {
      await stack.compose('stop', 'postgres')
      await stack.become('unhealthy', ...ROLES)
      await stack.compose('start', 'postgres')
      await stack.become('healthy', ...ROLES)
    },
    3 * MINUTES,
  )

  test(
    'goes on with passwords of its own after it was tried out without, with as many mailers as are set',
    async () => {
      const readers = await stack.query('select count(*) from subscribers')
      stack.set({ POSTGRES_PASSWORD: 'ofourown', POSTGRES_SERVING_PASSWORD: 'forthosewhoserve', MAILERS: '2' })
      await stack.compose('up', '-d')
      await stack.become('healthy', ...ROLES)
      expect(await stack.query('select count(*) from subscribers')).toEqual(readers)
      expect(await stack.containers('mailer')).toHaveLength(2)
      // A later start with the same settings, as an upgrade is, leaves their number as it is.
      await stack.compose('up', '-d', '--force-recreate', 'mailer')
      await stack.become('healthy', 'mailer')
      expect(await stack.containers('mailer')).toHaveLength(2)
    },
    5 * MINUTES,
  )
})
