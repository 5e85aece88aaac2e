/** A look at everything that must hold for mail to leave and arrive; one thing that fails hides none of the others. */

import { SECOND } from '../core/calendar.ts'
import { type Check, type Finding, fault, fine, notLookedAt, warning } from '../core/checkup/check.ts'
import { judgeClocks, type OtherClock } from '../core/checkup/clock.ts'
import { type DatabaseServer, judgeConnections, judgeDurability, judgeVersion } from '../core/checkup/database.ts'
import { judgeOneClick, judgeSite, type SiteAnswer } from '../core/checkup/site.ts'
import { redact } from '../core/redact.ts'
import { type Look, type MailPorts, type MailSubject, mailLooks, once } from './mail-checkup.ts'

/** What is looked at. */
export interface Subject {
  /** `null`: mail stays on this machine, so that nobody else has to be pleased. */
  mail: MailSubject | null
  baseUrl: string
  production: boolean
  /** `file`: the key that was made at the first start; `setting`: SECRET_KEY. */
  secretKey: { from: 'file' | 'setting'; newest: Buffer } | null
  /** Connections that one process of each role and a command may hold together. */
  connections: number
}

export interface CheckupPorts extends MailPorts {
  visit: (url: string, method: 'GET' | 'POST') => Promise<SiteAnswer>
  /** `null`: there is none yet. Rejects where it cannot be reached. */
  readServer: (() => Promise<DatabaseServer & { clock: Date }>) | null
  /** Rejects where the schema is not this version's, with what to do. */
  requireSchema: () => Promise<void>
  /** `null`: the queue runs in the database. */
  examineRedis: (() => Promise<{ error: string | null; notice: string | null }>) | null
}

/** How long one look may take, what it waits for included. */
const PATIENCE = 15 * SECOND

/** A token's length and letters; nobody's, for it proves nothing. */
const TOKEN_OF_NOBODY = 'A'.repeat(43)

/** Looks at everything at the same time; the answers come in a fixed order. Never throws, and ends within 15 s. */
export const examine = async (subject: Subject, ports: CheckupPorts): Promise<Check[]> => {
  const looks: [string, Look][] = [
    ...settingLooks(subject),
    ...(subject.mail === null ? UNMAILED : mailLooks(subject.mail, ports)),
    ...siteLooks(subject, ports),
    ...databaseLooks(subject, ports),
    ['queue', () => lookAtQueue(ports)],
  ]
  return await Promise.all(looks.map(async ([name, look]) => ({ name, ...(await inTime(look)) })))
}

/** A look that fails, or takes too long, is a finding itself. */
const inTime = async (look: Look): Promise<Finding> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<Finding>((resolve) => {
    timer = setTimeout(
      () => resolve(fault(`nothing within ${PATIENCE / SECOND} s`, 'it does not answer', 'look again later')),
      PATIENCE,
    )
  })
  try {
    return await Promise.race([look(), late])
  } catch (error) {
    const said = error instanceof Error ? error.message || ('code' in error ? String(error.code) : error.name) : error
    return fault(`nothing: ${redact(String(said))}`, 'it could not be looked at', 'look again once that is mended')
  } finally {
    clearTimeout(timer)
  }
}

const STAYS = 'mail stays on this machine'
const UNMAILED = ['relay', 'sender', 'spf', 'dkim', 'dmarc', 'ptr'].map((name): [string, Look] => [
  name,
  async () => notLookedAt(STAYS),
])

const settingLooks = ({ mail, production, secretKey }: Subject): [string, Look][] => [
  [
    'mode',
    async () =>
      production
        ? fine('NODE_ENV=production')
        : mail === null
          ? fine(`for trying out: ${STAYS}`)
          : warning(
              'mail leaves without NODE_ENV=production',
              'a setting that is good at home only does not end the start',
              'NODE_ENV=production',
            ),
  ],
  [
    'postal address',
    async () => {
      if (mail === null) return notLookedAt(STAYS)
      return mail.postalAddress === null
        ? fault('none', 'the law asks for it in every newsletter', 'POSTAL_ADDRESS=<name, street, town, country>')
        : fine(mail.postalAddress)
    },
  ],
  [
    'secret key',
    async () => {
      const make = 'SECRET_KEY=<what openssl rand -hex 32 prints>; the former one goes into SECRET_KEY_PREVIOUS'
      if (secretKey === null) return notLookedAt('no key is made before the first start')
      const found = `${8 * secretKey.newest.length} bits from ${secretKey.from === 'file' ? 'a file in DATA_DIR' : 'SECRET_KEY'}`
      // 32 octets that were drawn by chance have fewer than 16 different ones once in many times the age of the world.
      if (new Set(secretKey.newest).size < 16)
        return fault(`${found}, of few different octets`, 'it can be guessed, and with it every link', make)
      return secretKey.from === 'file' && mail !== null
        ? warning(found, 'with the folder it is lost, and all links sent so far are dead', make)
        : fine(found)
    },
  ],
]

const siteLooks = ({ mail, baseUrl, production }: Subject, ports: CheckupPorts): [string, Look][] => {
  if (mail === null && !production)
    return ['site', 'one-click unsubscribe'].map((name) => [
      name,
      async () => notLookedAt(`${STAYS}, so links need lead nobody to ${baseUrl}`),
    ])
  return [
    ['site', async () => judgeSite(baseUrl, await ports.visit(`${baseUrl}/healthz`, 'GET'), ports.now())],
    [
      'one-click unsubscribe',
      async () => judgeOneClick(await ports.visit(`${baseUrl}/unsubscribe/${TOKEN_OF_NOBODY}`, 'POST')),
    ],
  ]
}

const databaseLooks = ({ mail, production, baseUrl, connections }: Subject, ports: CheckupPorts): [string, Look][] => {
  const { readServer, now } = ports
  if (readServer === null)
    return ['database', 'schema', 'durability', 'connections', 'clock'].map((name) => [
      name,
      async () => notLookedAt('the embedded Postgres is made at the first start'),
    ])
  const server = once(async () => {
    const asked = now().getTime()
    const answer = await readServer()
    return { ...answer, asked, answered: now().getTime() }
  })
  const ofServer = (judge: (server: DatabaseServer) => Finding): Look => {
    return async () => {
      const found = await server().catch(() => null)
      return found === null ? notLookedAt('the database does not answer') : judge(found)
    }
  }
  const unreachable = (error: unknown) => {
    const { message, code } = error as { message?: string; code?: string }
    return fault(
      `nothing: ${redact(message || code || 'no answer')}`,
      'without the database nothing works',
      'start Postgres, or correct DATABASE_URL; then look again',
    )
  }
  return [
    ['database', async () => server().then(judgeVersion, unreachable)],
    [
      'schema',
      async () => {
        if ((await server().catch(() => null)) === null) return notLookedAt('the database does not answer')
        return ports.requireSchema().then(
          () => fine('that of this version'),
          (error: Error) => fault(error.message, 'the service does not start on it', 'node workers/main.ts migrate'),
        )
      },
    ],
    ['durability', ofServer(judgeDurability)],
    ['connections', ofServer((found) => judgeConnections(found, connections))],
    [
      'clock',
      async () => {
        const found = await server().catch(() => null)
        const site = mail === null && !production ? null : await clockOfSite(baseUrl, ports)
        const clocks: OtherClock[] = [
          ...(found === null ? [] : [clockOf('the database', found.clock, found.asked, found.answered, 0)]),
          ...(site === null ? [] : [site]),
        ]
        return clocks.length === 0 ? notLookedAt('no other clock answers') : judgeClocks(clocks)
      },
    ],
  ]
}

/** Another clock against ours, read between two moments of ours; `grain` is what its reading leaves out. */
const clockOf = (whose: string, clock: Date, asked: number, answered: number, grain: number): OtherClock => ({
  whose,
  ahead: Math.round(clock.getTime() + grain / 2 - (asked + answered) / 2),
  within: Math.ceil((answered - asked + grain) / 2) + SECOND / 10,
})

/** By `Date`, which is whole seconds (RFC 9110 6.6.1); `null` where the site does not answer, which is told elsewhere. */
const clockOfSite = async (baseUrl: string, { visit, now }: CheckupPorts): Promise<OtherClock | null> => {
  const asked = now().getTime()
  const answer = await visit(`${baseUrl}/healthz`, 'GET')
  const date = answer.failed === null ? Date.parse(String(answer.headers.date)) : Number.NaN
  return Number.isNaN(date) ? null : clockOf('the site', new Date(date), asked, now().getTime(), SECOND)
}

const lookAtQueue = async ({ examineRedis }: CheckupPorts): Promise<Finding> => {
  if (examineRedis === null) return fine('in the database')
  const { error, notice } = await examineRedis()
  if (error !== null)
    return fault(error, 'the site goes on, but no mail leaves', settingIn(error) ?? 'start Redis, or correct REDIS_URL')
  return notice === null
    ? fine('Redis, with noeviction, which keeps the queue over a restart')
    : warning(notice, 'after a restart of Redis mail waits for up to a minute', settingIn(notice) ?? 'appendonly yes')
}

/** What a sentence about Redis says to set, at its end. */
const settingIn = (sentence: string): string | null => /set: (.+)$/.exec(sentence)?.[1] ?? null
