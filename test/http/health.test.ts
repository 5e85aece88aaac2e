/** What a supervisor sees: that a process is alive, and whether what it needs responds. */
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { createMetrics } from '../../src/adapters/metrics.ts'
import { describeError } from '../../src/core/redact.ts'
import { buildHealthApp, type Health } from '../../src/http/health.ts'

const open = async (ready: Health['ready']) => {
  const log: string[] = []
  const write = (facts: object, event: string) => void log.push(JSON.stringify({ event, ...facts }))
  const metrics = createMetrics(
    async () => {
      throw new Error('connect ECONNREFUSED for ada@example.org')
    },
    { onError: (error) => write({ error: describeError(error) }, 'no figures') },
  )
  const app = buildHealthApp({ ready, log: { info: write, warn: write, error: write }, metrics })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
  return { url, log, [Symbol.asyncDispose]: () => app.close() }
}

test('what never responds is checked once for all requests, and each gets its response within seconds', async () => {
  let asked = 0
  await using process = await open(() => {
    asked += 1
    return new Promise(() => undefined)
  })
  const responses = await Promise.all([1, 2, 3].map(() => fetch(`${process.url}/readyz`)))
  expect(responses.map((response) => response.status)).toEqual([503, 503, 503])
  expect(asked).toBe(1)
  expect(process.log.join()).toContain('no answer within 3000 ms')
  expect((await fetch(`${process.url}/healthz`)).status).toBe(200)
})

test('a failure is not remembered', async () => {
  let well = false
  await using process = await open(async () => {
    if (!well) throw new Error('connect ECONNREFUSED')
  })
  expect((await fetch(`${process.url}/readyz`)).status).toBe(503)
  well = true
  expect((await fetch(`${process.url}/readyz`)).status).toBe(200)
})

test('a process without its database still answers for itself, and says why in the log alone', async () => {
  await using process = await open(async () => undefined)
  const answer = await fetch(`${process.url}/metrics`)
  const text = await answer.text()
  expect(answer.status).toBe(200)
  expect(text).toContain('paper_round_database_up 0\n')
  expect(text).not.toContain('ECONNREFUSED')
  expect(process.log.join()).toContain('ECONNREFUSED')
  expect(process.log.join()).not.toContain('ada@')
})
