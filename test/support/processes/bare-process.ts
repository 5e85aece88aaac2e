/**
 * A bare Fastify route with the statement of `POST /subscribe` and nothing else: what the site is measured against.
 *
 *     node test/support/processes/bare-process.ts DATABASE_URL      prints the URL it listens on
 */
import Fastify from 'fastify'
import { STANDARD } from '../../../src/core/subscriber/preferences.ts'
import { openDatabase } from '../../../src/store/database.ts'
import { storeSignUp } from '../../../src/store/sign-ups.ts'

interface Body {
  email: string
  topics: string[]
  frequency: 'daily'
  timezone: string
}

const db = openDatabase(process.argv[2] ?? '', {
  connections: 10,
  name: 'bare',
  onError: (error) => console.error(error),
})
const app = Fastify()
app.post<{ Body: Body }>('/subscribe', async ({ body: { email, topics, frequency, timezone } }, reply) => {
  const preferences = { ...STANDARD, topics, frequency, timeZone: timezone }
  await storeSignUp(db, { kind: 'subscribe', email, preferences, requestedAt: new Date() })
  return reply.code(202).send({ status: 'check your inbox' })
})
console.log(await app.listen({ host: '127.0.0.1', port: 0 }))
