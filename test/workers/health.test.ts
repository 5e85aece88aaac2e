/** The health check of the image, on processes that are well, cut off from the database, and hung. */
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

/** Many processes are started here, one after the other. */
const PATIENCE = 180_000

/** As the engine runs it. */
const check = async (port: number): Promise<{ code: number; said: string }> => {
  const script = fileURLToPath(new URL('../../workers/health.ts', import.meta.url))
  const child = spawn(process.execPath, [script], { env: { PATH: process.env.PATH, HEALTH_PORT: String(port) } })
  let said = ''
  child.stdout.on('data', (chunk) => {
    said += chunk
  })
  const [code] = await once(child, 'close')
  return { code, said: said.trim() }
}

/** A way to the database that can be cut, as a network is. */
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
    mend() {
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
  'tells whether the %s is well, without its database, or hung',
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
    expect(await check(port)).toEqual({ code: 0, said: '{"status":"ready"}' })
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
    expect(metrics).toContain('paper_round_deliveries{state="unknown"} 0')

    proxy.cut()
    expect(await check(port)).toEqual({ code: 1, said: '{"status":"not ready"}' })
    proxy.mend()
    await expect.poll(() => check(port)).toEqual({ code: 0, said: '{"status":"ready"}' })

    process.kill(program.pid, 'SIGSTOP')
    expect((await check(port)).code).toBe(1)
    process.kill(program.pid, 'SIGCONT')
    expect(await program.end('SIGTERM')).toMatchObject({ code: 0 })
  },
  PATIENCE,
)

test.skipIf(!hasOwnRedis)(
  `tells that scheduler and mailer are without their queue, and the site well without it${NEEDS_OWN_REDIS}`,
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
  PATIENCE,
)
