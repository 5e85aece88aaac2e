/** The checkup: everything that must hold for mail to leave and arrive. One check that fails hides none of the others. */
import { SECOND } from '../core/calendar.ts'
import { type Check, type Finding, fault, fine, notChecked, warning } from '../core/checkup/check.ts'
import { checkClocks, type OtherClock } from '../core/checkup/clock.ts'
import {
  checkCollation,
  checkConnections,
  checkDurability,
  checkVersion,
  type DatabaseServer,
} from '../core/checkup/database.ts'
import { checkDiskSpace } from '../core/checkup/disk-space.ts'
import { checkOneClick, checkSite, type SiteResponse } from '../core/checkup/site.ts'
import { redact } from '../core/redact.ts'
import { type MailPorts, type MailSubject, mailChecks, once, type RunCheck } from './mail-checkup.ts'

/** What is checked. */
export interface CheckupSubject {
  /** `null`: mail stays on this machine, and the checks of other systems are left out. */
  mail: MailSubject | null
  baseUrl: string
  production: boolean
  /** `file`: the key that was made at the first start; `setting`: SECRET_KEY. */
  secretKey: { from: 'file' | 'setting'; newest: Buffer } | null
  /** Connections that one process of each role and a command may hold together. */
  connections: number
}

export interface CheckupPorts extends MailPorts {
  visit: (url: string, method: 'GET' | 'POST') => Promise<SiteResponse>
  /** `null`: there is no database yet. Rejects where it cannot be reached. */
  readServer: (() => Promise<DatabaseServer & { clock: Date }>) | null
  /** Octets that are free on the embedded database's disk, and how many must be; `null`: the database is not there. */
  readSpace: (() => Promise<{ free: number; least: number }>) | null
  /** The hold on the service in a sentence; `null` where there is none. */
  readHold: () => Promise<string | null>
  /** Rejects where the schema is not this version's, with what to do. */
  requireSchema: () => Promise<void>
  /** `null`: the queue runs in the database. */
  examineRedis: (() => Promise<{ error: string | null; notice: string | null }>) | null
}

/** How long one check may take. */
const CHECK_TIMEOUT = 15 * SECOND

/** A token in its form only: no key has signed it. */
const UNKNOWN_TOKEN = 'A'.repeat(43)

/** Runs all checks at the same time; they are returned in a fixed order. Never rejects, and takes 15 s at most. */
export const examine = async (subject: CheckupSubject, ports: CheckupPorts): Promise<Check[]> => {
  const checks: [string, RunCheck][] = [
    ...settingChecks(subject),
    ...(subject.mail === null ? UNMAILED_CHECKS : mailChecks(subject.mail, ports)),
    ...siteChecks(subject, ports),
    ...databaseChecks(subject, ports),
    ['disk space', () => checkSpace(ports)],
    ['queue', () => checkQueue(ports)],
  ]
  return await Promise.all(checks.map(async ([name, run]) => ({ name, ...(await runInTime(run)) })))
}

/** Runs a check; that it fails or takes too long is a finding itself. */
const runInTime = async (run: RunCheck): Promise<Finding> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<Finding>((resolve) => {
    timer = setTimeout(
      () => resolve(fault(`nothing within ${CHECK_TIMEOUT / SECOND} s`, 'it does not answer', 'look again later')),
      CHECK_TIMEOUT,
    )
  })
  try {
    return await Promise.race([run(), late])
  } catch (error) {
    const said = error instanceof Error ? error.message || ('code' in error ? String(error.code) : error.name) : error
    return fault(`nothing: ${redact(String(said))}`, 'it could not be checked', 'look again once that is mended')
  } finally {
    clearTimeout(timer)
  }
}

const STAYS = 'mail stays on this machine'
const UNMAILED_CHECKS = ['relay', 'sender', 'spf', 'dkim', 'dmarc', 'ptr'].map((name): [string, RunCheck] => [
  name,
  async () => notChecked(STAYS),
])

const settingChecks = ({ mail, production, secretKey }: CheckupSubject): [string, RunCheck][] => [
  [
    'mode',
    async () =>
      production
        ? fine('NODE_ENV=production')
        : mail === null
          ? fine(`for trying out: ${STAYS}`)
          : warning(
              'mail leaves without NODE_ENV=production',
              'settings that are safe on one machine only do not stop the start',
              'NODE_ENV=production',
            ),
  ],
  [
    'postal address',
    async () => {
      if (mail === null) return notChecked(STAYS)
      return mail.postalAddress === null
        ? fault('none', 'the law asks for it in every newsletter', 'POSTAL_ADDRESS=<name, street, town, country>')
        : fine(mail.postalAddress)
    },
  ],
  [
    'secret key',
    async () => {
      const make = 'SECRET_KEY=<what openssl rand -hex 32 prints>; the former one goes into SECRET_KEY_PREVIOUS'
      if (secretKey === null) return notChecked('no key is made before the first start')
      const found = `${8 * secretKey.newest.length} bits from ${secretKey.from === 'file' ? 'a file in DATA_DIR' : 'SECRET_KEY'}`
      // Fewer than 16 different octets among 32 random ones do not occur by chance.
      if (new Set(secretKey.newest).size < 16)
        return fault(`${found}, of few different octets`, 'it can be guessed, and every link with it', make)
      return secretKey.from === 'file' && mail !== null
        ? warning(found, 'if the folder is lost, so is the key, and all links sent so far stop working', make)
        : fine(found)
    },
  ],
]

const siteChecks = ({ mail, baseUrl, production }: CheckupSubject, ports: CheckupPorts): [string, RunCheck][] => {
  if (mail === null && !production)
    return ['site', 'one-click unsubscribe'].map((name) => [
      name,
      async () => notChecked(`${STAYS}, so nobody else needs to open ${baseUrl}`),
    ])
  return [
    ['site', async () => checkSite(baseUrl, await ports.visit(`${baseUrl}/healthz`, 'GET'), ports.now())],
    [
      'one-click unsubscribe',
      async () => checkOneClick(await ports.visit(`${baseUrl}/unsubscribe/${UNKNOWN_TOKEN}`, 'POST')),
    ],
  ]
}

const databaseChecks = (
  { mail, production, baseUrl, connections }: CheckupSubject,
  ports: CheckupPorts,
): [string, RunCheck][] => {
  const { readServer, now } = ports
  if (readServer === null)
    return ['database', 'schema', 'durability', 'collation', 'connections', 'clock'].map((name) => [
      name,
      async () => notChecked('the embedded Postgres is made at the first start'),
    ])
  const server = once(async () => {
    const asked = now().getTime()
    const found = await readServer()
    return { ...found, asked, answered: now().getTime() }
  })
  const ofServer = (check: (server: DatabaseServer) => Finding): RunCheck => {
    return async () => {
      const found = await server().catch(() => null)
      return found === null ? notChecked('the database does not answer') : check(found)
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
    ['database', async () => server().then((found) => checkHold(found, ports), unreachable)],
    [
      'schema',
      async () => {
        if ((await server().catch(() => null)) === null) return notChecked('the database does not answer')
        return ports.requireSchema().then(
          () => fine('that of this version'),
          (error: Error) => fault(error.message, 'the service does not start on it', 'node workers/main.ts migrate'),
        )
      },
    ],
    ['durability', ofServer(checkDurability)],
    ['collation', ofServer(checkCollation)],
    ['connections', ofServer((found) => checkConnections(found, connections))],
    [
      'clock',
      async () => {
        const found = await server().catch(() => null)
        const site = mail === null && !production ? null : await clockOfSite(baseUrl, ports)
        const clocks: OtherClock[] = [
          ...(found === null ? [] : [clockOf('the database', found.clock, found.asked, found.answered, 0)]),
          ...(site === null ? [] : [site]),
        ]
        return clocks.length === 0 ? notChecked('no other clock answers') : checkClocks(clocks)
      },
    ],
  ]
}

/** A database that holds the service (`service-hold`) is in order, and no email leaves all the same. */
const checkHold = async (found: DatabaseServer, { readHold }: CheckupPorts): Promise<Finding> => {
  const held = await readHold()
  return held === null
    ? checkVersion(found)
    : fault(held, 'no email leaves', 'npm run admin -- service resume, once you know that nothing is sent twice by it')
}

/** Another clock against ours, read between two instants of ours; `grain`: milliseconds of its resolution. */
const clockOf = (whose: string, clock: Date, asked: number, answered: number, grain: number): OtherClock => ({
  whose,
  ahead: Math.round(clock.getTime() + grain / 2 - (asked + answered) / 2),
  within: Math.ceil((answered - asked + grain) / 2) + SECOND / 10,
})

/** The site's clock by `Date`, in whole seconds (RFC 9110 6.6.1); `null` where it does not answer, which another check tells. */
const clockOfSite = async (baseUrl: string, { visit, now }: CheckupPorts): Promise<OtherClock | null> => {
  const asked = now().getTime()
  const response = await visit(`${baseUrl}/healthz`, 'GET')
  const date = response.failed === null ? Date.parse(String(response.headers.date)) : Number.NaN
  return Number.isNaN(date) ? null : clockOf('the site', new Date(date), asked, now().getTime(), SECOND)
}

const checkSpace = async ({ readSpace }: CheckupPorts): Promise<Finding> => {
  if (readSpace === null) return notChecked('the embedded Postgres is not used, or not made yet')
  const { free, least } = await readSpace()
  return checkDiskSpace(free, least)
}

const checkQueue = async ({ examineRedis }: CheckupPorts): Promise<Finding> => {
  if (examineRedis === null) return fine('in the database')
  const { error, notice } = await examineRedis()
  if (error !== null)
    return fault(error, 'the site works, but no mail leaves', settingIn(error) ?? 'start Redis, or correct REDIS_URL')
  return notice === null
    ? fine('Redis, with noeviction, which keeps the queue over a restart')
    : warning(notice, 'after a restart of Redis mail waits for up to a minute', settingIn(notice) ?? 'appendonly yes')
}

/** The setting at the end of a sentence about Redis; `null` where it names none. */
const settingIn = (sentence: string): string | null => /set: (.+)$/.exec(sentence)?.[1] ?? null
