/** The whole service in this process, on a database, a mailbox and a clock of its own, as a journey needs it. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openMailbox } from '../../../src/adapters/mailbox/mailbox.ts'
import { openQueue } from '../../../src/adapters/queue/queue.ts'
import type { QueueName } from '../../../src/adapters/queue/queue-names.ts'
import { readConfig } from '../../../workers/config/config.ts'
import { ROLES } from '../../../workers/roles/role.ts'
import { startService } from '../../../workers/service.ts'
import { createMail, type Mail } from '../browser/mailbox-reader.ts'
import { openTestDatabase } from '../databases/postgres.ts'
import { writeDays } from '../fixtures/papers.ts'
import { requireNamelessLog } from '../log-check.ts'

export interface TestService extends AsyncDisposable {
  url: string
  /** The first of the pages for operators; `null` without ADMIN_TOKEN. */
  adminUrl: string | null
  databaseUrl: string
  /** Where bounces are received; 0 where they are not. */
  bouncesPort: number
  /** Its page, for a browser. */
  mailboxUrl: string
  mail: Mail
  /** The folder that the service reads papers from. */
  papers: string
  logged: string[]
  /** Moves the service's clock; nothing happens by it until a queue is woken. */
  setClock(at: string): void
  /** Wakes a queue as the scheduler would, so that no test waits for a minute to pass. */
  wake(name: QueueName): Promise<void>
}

export interface TestServiceOptions {
  clock: string
  /** List days to hold; every topic has a paper on each. */
  days?: string[]
  topics?: string[]
  /** Fills the folder of papers besides. */
  writePapers?: (folder: string) => Promise<unknown>
  settings?: Record<string, string>
  smtpUrl?: string
  /** Where picked papers are asked for; by default nowhere. */
  arxivUrl?: string
  /** Where bioRxiv and medRxiv are asked; by default nowhere. */
  preprintUrl?: string
}

/** Nobody listens there. */
const NO_ARXIV = 'http://127.0.0.1:1'

const KEY = Buffer.alloc(32, 7)

const untilLogged = async (logged: string[], event: string): Promise<void> => {
  const until = Date.now() + 60_000
  while (!logged.some((line) => line.includes(event))) {
    if (Date.now() > until) throw new Error(`“${event}” was not logged; the log says:\n${logged.join('\n')}`)
    await new Promise((resume) => setTimeout(resume, 10))
  }
}

/** Starts all roles and waits until they are ready and the papers are read. */
export const startTestService = async (options: TestServiceOptions): Promise<TestService> => {
  const folder = await mkdtemp(join(tmpdir(), 'paper-round-service-'))
  const papers = join(folder, 'papers')
  await writeDays(papers, options.days ?? [], options.topics)
  await options.writePapers?.(papers)
  const database = await openTestDatabase()
  let offset = Date.parse(options.clock) - Date.now()
  const now = () => new Date(Date.now() + offset)
  const mailbox = await openMailbox({ smtpPort: 0, httpPort: 0, folder: join(folder, 'mail'), now })
  const logged: string[] = []
  const say = (level: string) => (facts: object, event: string) => {
    logged.push(JSON.stringify({ level, event, ...facts }))
  }
  const config = readConfig({
    PORT: '0',
    ...(options.settings?.ADMIN_TOKEN === undefined ? {} : { ADMIN_PORT: '0' }),
    PAPER_SOURCES: `file:${papers}`,
    ...options.settings,
  })
  const service = await startService(
    config,
    {
      databaseUrl: database.url,
      keys: [KEY],
      smtpUrl: options.smtpUrl ?? mailbox.smtpUrl,
      mailboxUrl: mailbox.url,
      now,
      arxivUrl: options.arxivUrl ?? NO_ARXIV,
      preprintUrl: options.preprintUrl ?? NO_ARXIV,
      log: { info: say('info'), warn: say('warn'), error: say('error') },
      alone: true,
    },
    new Set(ROLES),
  )
  if ((options.days ?? []).length > 0 || options.writePapers !== undefined)
    await untilLogged(logged, 'papers refreshed')
  const queue = await openQueue({
    databaseUrl: database.url,
    redisUrl: config.redisUrl,
    workers: 0,
    onError: () => undefined,
  })
  if (service.url === null) throw new Error('the site did not start')
  return {
    url: service.url,
    adminUrl: service.adminUrl,
    databaseUrl: database.url,
    bouncesPort: service.bouncesPort ?? 0,
    mailboxUrl: mailbox.url,
    mail: createMail(mailbox.url),
    papers,
    logged,
    setClock(at) {
      offset = Date.parse(at) - Date.now()
    },
    wake: queue.wake,
    async [Symbol.asyncDispose]() {
      await queue.close({ graceMs: 1000 })
      await service.close()
      await mailbox.close()
      await database[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
      requireNamelessLog(logged)
    },
  }
}
