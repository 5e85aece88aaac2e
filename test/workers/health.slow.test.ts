/** The health check of the image, on processes that are healthy, cut off from the database, and hung. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { openTestDatabase } from '../support/databases/postgres.ts'
import { hasOwnRedis, NEEDS_OWN_REDIS, openTestRedis } from '../support/databases/redis.ts'
import { openTestFolder } from '../support/fixtures/folder.ts'
import { startProgram } from '../support/processes/program.ts'
import { findFreePort } from '../support/servers/free-port.ts'
import { thorough } from '../support/thoroughness.ts'

/** Milliseconds; many processes are started here, one after the other. */
const TIMEOUT = 180_000

/** Runs the check as Docker does. */
const check = async (port: number): Promise<{ code: number; output: string }> => {
  const script = fileURLToPath(new URL('../../workers/health.ts', import.meta.url))
  const child = spawn(process.execPath, [script], { env: { PATH: process.env.PATH, HEALTH_PORT: String(port) } })
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  const [code] = await once(child, 'close')
  return { code, output: output.trim() }
}

/** A proxy to the database, which a test cuts as a network may be. */
const openProxy = async (databaseUrl: string) => {
  const target = new URL(databaseUrl)
  const sockets = new Set<Socket>()
  let open = true
  const server = createServer((near) => {
    sockets.add(near.on('error', () => undefined))
    if (!open) return near.destroy()
    const far = connect(Number(target.port || 5432), target.hostname).on('error', () => undefined)
    sockets.add(far)
    near.pipe(far).pipe(near)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const url = new URL(databaseUrl)
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const cut = () => {
    open = false
    for (const socket of sockets) socket.destroy()
  }
  return {
    url: url.href,
    cut,
    restore() {
      open = true
    },
    async [Symbol.asyncDispose]() {
      cut()
      server.close()
      await once(server, 'close')
    },
  }
}

test.each(thorough ? ['api', 'scheduler', 'mailer'] : ['scheduler'])(
  'shows whether the %s is healthy, without its database, or hung',
  async (role) => {
    await using database = await openTestDatabase()
    await using folder = await openTestFolder()
    await using proxy = await openProxy(database.url)
    const port = await findFreePort()
    expect((await check(port)).code).toBe(1)
    await using program = startProgram('main', [role], {
      DATABASE_URL: proxy.url,
      DATA_DIR: folder.path,
      PORT: '0',
      MAILBOX_PORT: '0',
      HEALTH_PORT: String(port),
      PAPER_SOURCES: `file:${folder.path}`,
      LOG_LEVEL: 'silent',
    })
    await program.said('is ready')
    expect(await check(port)).toEqual({ code: 0, output: '{"status":"ready"}' })
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
    expect(metrics).toContain('paper_round_deliveries{state="unknown"} 0')

    proxy.cut()
    expect(await check(port)).toEqual({ code: 1, output: '{"status":"not ready"}' })
    proxy.restore()
    await expect.poll(() => check(port)).toEqual({ code: 0, output: '{"status":"ready"}' })

    process.kill(program.pid, 'SIGSTOP')
    expect((await check(port)).code).toBe(1)
    process.kill(program.pid, 'SIGCONT')
    expect(await program.end('SIGTERM')).toMatchObject({ code: 0 })
  },
  TIMEOUT,
)

test.skipIf(!hasOwnRedis)(
  `shows that scheduler and mailer lack their queue, and that the site is healthy without it${NEEDS_OWN_REDIS}`,
  async () => {
    await using database = await openTestDatabase()
    await using folder = await openTestFolder()
    await using redis = await openTestRedis({ config: ['--appendonly', 'yes'] })
    const start = async (role: string) => {
      const port = await findFreePort()
      const program = startProgram('main', [role], {
        DATABASE_URL: database.url,
        REDIS_URL: redis.url,
        DATA_DIR: folder.path,
        PORT: '0',
        MAILBOX_PORT: '0',
        HEALTH_PORT: String(port),
        PAPER_SOURCES: `file:${folder.path}`,
        LOG_LEVEL: 'silent',
      })
      await program.said('is ready')
      return { port, [Symbol.asyncDispose]: () => program[Symbol.asyncDispose]() }
    }
    await using api = await start('api')
    await using scheduler = await start('scheduler')
    await using mailer = await start('mailer')
    const codes = async () =>
      Promise.all([api, scheduler, mailer].map(async (process) => (await check(process.port)).code))
    expect(await codes()).toEqual([0, 0, 0])
    await redis.kill()
    await expect.poll(codes).toEqual([0, 1, 1])
    await redis.restart()
    await expect.poll(codes).toEqual([0, 0, 0])
  },
  TIMEOUT,
)
