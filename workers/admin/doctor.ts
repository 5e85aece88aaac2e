/** `doctor`: checks everything that mail needs to leave and arrive, and says how to fix what is wrong. */
import { createPublicKey } from 'node:crypto'
import { access } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { createLookup } from '../../src/adapters/checkup/name-servers.ts'
import { visitRelay } from '../../src/adapters/checkup/relay-visit.ts'
import { visitSite } from '../../src/adapters/checkup/site-visit.ts'
import { evaluateSpf } from '../../src/adapters/checkup/spf.ts'
import { readFreeSpace } from '../../src/adapters/disk-space.ts'
import { readSecretKey } from '../../src/adapters/postgres/data-folder.ts'
import { examineRedis } from '../../src/adapters/queue/redis-backend.ts'
import { SECOND } from '../../src/core/calendar.ts'
import type { Check } from '../../src/core/checkup/check.ts'
import { isLoopback, readSmtpUrl } from '../../src/core/sending/smtp-url.ts'
import { type CheckupPorts, type CheckupSubject, examine } from '../../src/newsletter/checkup.ts'
import { describeHold } from '../../src/newsletter/service-hold.ts'
import { type Database, openDatabase } from '../../src/store/database.ts'
import { requireSchema } from '../../src/store/migrate.ts'
import { readThrottled } from '../../src/store/outbox/throttled-routes.ts'
import { readServer } from '../../src/store/server.ts'
import { readHold } from '../../src/store/service-hold.ts'
import { type Config, loadConfig } from '../config/config.ts'
import { mailLeaves } from '../config/senders.ts'
import { openRuntime } from '../runtime.ts'

interface Options {
  sendsFrom?: string[]
  nameServer?: string[]
}

/** Milliseconds for one SMTP session or one request. */
const TIMEOUT = 10 * SECOND

/** How many one process of each role and a command use at most, in our pools and, without Redis, in the queue's. */
const CONNECTIONS = { ours: 3 * 10 + 4, queue: 2 + 4 + 4 }

const addresses = (text: string): string[] => {
  const all = text.split(',').map((part) => part.trim())
  const bad = all.find((one) => isIP(one) === 0)
  if (bad !== undefined) throw new InvalidArgumentError(`${JSON.stringify(bad)} is no IP address`)
  return all
}

const nameServers = (text: string): string[] => {
  const all = text.split(',').map((part) => part.trim())
  const bad = all.find((one) => isIP(one) === 0 && !/^(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:.]+\]):\d{1,5}$/i.test(one))
  if (bad !== undefined)
    throw new InvalidArgumentError(`${JSON.stringify(bad)} is no address of a name server, such as 9.9.9.9`)
  return all
}

const exists = async (path: string): Promise<boolean> => {
  try {
    await access(path)
    return true
  } catch {
    // Whatever the error is, we cannot read it.
    return false
  }
}

const signedAs = (dkim: Config['dkim']) =>
  dkim === null ? null : { domain: dkim.domain, selector: dkim.selector, publicKey: createPublicKey(dkim.privateKey) }

const readCheckupSubject = async (config: Config, { sendsFrom = [] }: Options): Promise<CheckupSubject> => {
  const { smtpUrl, secretKeys, dataDir } = config
  // Reading the key of a folder that has none would create it.
  const kept = secretKeys === null && (await exists(join(dataDir, 'secret-key'))) ? await readSecretKey(dataDir) : null
  return {
    mail:
      smtpUrl !== null && mailLeaves(config)
        ? {
            relay: readSmtpUrl(smtpUrl),
            loopback: isLoopback(readSmtpUrl(smtpUrl).host),
            from: config.mailFrom.address,
            lettersFrom: config.lettersFrom.address,
            bounceDomain: config.bounceDomain,
            dkim: signedAs(config.dkim),
            lettersDkim: signedAs(config.lettersDkim),
            sendsFrom,
            postalAddress: config.postalAddress,
          }
        : null,
    baseUrl: config.baseUrl,
    production: config.production,
    secretKey:
      secretKeys !== null
        ? { from: 'setting', newest: secretKeys[0] }
        : kept === null
          ? null
          : { from: 'file', newest: kept },
    connections: CONNECTIONS.ours + (config.redisUrl === null ? CONNECTIONS.queue : 0),
  }
}

interface Server {
  url: string
  db: Database
  close(): Promise<void>
}

/** Opens the database of the settings, or the embedded one. The signal ends the wait for another process. */
const openServer = async (config: Config, signal: AbortSignal): Promise<Server> => {
  const options = { migrate: false, onNotice: (notice: string) => console.error(notice), signal }
  const runtime = config.databaseUrl === null ? await openRuntime(config, 'command', options) : null
  const url = config.databaseUrl ?? runtime?.databaseUrl ?? ''
  const db = openDatabase(url, { connections: 1, name: 'paper-round doctor', onError: () => undefined })
  const close = async () => {
    await db.destroy()
    await runtime?.close()
  }
  return { url, db, close }
}

const check = async (config: Config, options: Options): Promise<Check[]> => {
  const lookup = createLookup(options.nameServer)
  const subject = await readCheckupSubject(config, options)
  // Opening the embedded cluster would create it.
  const hasCluster = config.databaseUrl !== null || (await exists(join(config.dataDir, 'postgres', 'cluster')))
  const ended = new AbortController()
  let opened: Promise<Server> | null = null
  const server = (): Promise<Server> => {
    opened ??= openServer(config, ended.signal)
    return opened
  }
  const { redisUrl } = config
  const ports: CheckupPorts = {
    now: () => new Date(),
    lookup,
    evaluateSpf: (domain, address) => evaluateSpf(lookup, domain, address),
    visitRelay: (relay) => visitRelay(relay, { withinMs: TIMEOUT, authority: config.smtpAuthority }),
    readThrottledRelay: async ({ host, port }) => {
      // Without a database, or with an older schema, nothing is known; other checks say so.
      if (!hasCluster) return null
      const routes = await server()
        .then(({ db }) => readThrottled(db))
        .catch(() => [])
      return routes.find(({ kind, name }) => kind === 'relay' && name === `${host}:${port}`) ?? null
    },
    visit: (url, method) => visitSite(url, { method, withinMs: TIMEOUT }),
    readServer: hasCluster ? async () => readServer((await server()).db) : null,
    readSpace:
      hasCluster && config.databaseUrl === null
        ? async () => ({ free: await readFreeSpace(config.dataDir), least: config.minFreeSpace })
        : null,
    readHold: async () => {
      const { db } = await server()
      // An older schema has no hold; the check of the schema says so.
      const hold = await readHold(db).catch((error) => {
        if (error.code === '42P01') return null
        throw error
      })
      return hold === null ? null : describeHold(hold)
    },
    requireSchema: async () => requireSchema((await server()).url),
    examineRedis: redisUrl === null ? null : () => examineRedis(redisUrl),
  }
  try {
    return await examine(subject, ports)
  } finally {
    ended.abort()
    await close(opened)
  }
}

/** A server that could not be opened is in a check already, and leaves nothing to close. */
const close = async (opened: Promise<Server> | null): Promise<void> => {
  const server = await opened?.catch(() => null)
  await server?.close()
}

const ORDER: Check['status'][] = ['wrong', 'warn', 'not looked at', 'ok']

/** For a person: what is wrong first, each with what was found and how to fix it. */
const describe = (checks: Check[]): string => {
  const width = Math.max(...checks.map(({ name }) => name.length))
  const indent = ' '.repeat('not looked at'.length + width + 4)
  const sorted = ORDER.flatMap((status) => checks.filter((check) => check.status === status))
  const lines = sorted.flatMap(({ name, status, found, wrong, mend }) => [
    `${status.padEnd('not looked at'.length)}  ${name.padEnd(width)}  ${wrong ?? found}`,
    ...(wrong === null ? [] : [`${indent}found: ${found}`]),
    ...(mend === null ? [] : [`${indent}mend:  ${mend}`]),
  ])
  const count = (status: Check['status']) => checks.filter((check) => check.status === status).length
  const wrong = count('wrong')
  const result = wrong === 0 ? 'Nothing is wrong' : wrong === 1 ? 'One thing is wrong' : `${wrong} things are wrong`
  return [...lines, '', `${result}; ${count('warn')} to think about, ${count('ok')} in order.`].join('\n')
}

const HELP = `
Checks: settings; the relay (SMTP_URL): connection, TLS and certificate, login, without sending anything; in the
domain name system: MX, SPF, DKIM and DMARC of the senders, PTR of the addresses; BASE_URL from here, and a one-click
unsubscription there with a token that belongs to nobody; the database, its disk, the queue, the clock. Nothing is changed.

Each is ok, warn (some mail may suffer), wrong, or not looked at (there is nothing to look at). It takes 20 seconds at
the most. Exit code: 0 nothing is wrong, 1 something is, 2 the settings or the command cannot be used.

As one JSON object: npm run admin -- doctor --json
  {"ok": false, "checks": [{"name": "spf", "status": "wrong", "found": "…", "wrong": "…", "mend": "…"}, …]}`

export const doctorCommand = (
  program: Command,
  environment: Record<string, string | undefined>,
  json: () => boolean,
): void => {
  program
    .command('doctor')
    .description('check everything that mail needs to leave and arrive, and say how to fix what is wrong')
    .option(
      '--sends-from <addresses>',
      'the addresses that mail leaves from, by comma, where the relay sends from others',
      addresses,
    )
    .option('--name-server <addresses>', 'name servers to ask instead of this machine’s, by comma', nameServers)
    .addHelpText('after', HELP)
    .action(async (options: Options) => {
      const checks = await check(loadConfig(environment), options)
      const ok = checks.every(({ status }) => status !== 'wrong')
      console.log(json() ? JSON.stringify({ ok, checks }) : describe(checks))
      if (!ok) process.exitCode = 1
    })
}
