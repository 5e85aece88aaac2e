/** Random requests to every route, over HTTP, on the whole service with a real database: none makes it fail. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  collectTokens,
  faultOf,
  nullRequestTo,
  openSender,
  requestsTo,
  shareOf,
} from '../support/servers/fuzzed-requests.ts'
import { openTestSite } from '../support/servers/recording-site.ts'
import { startTestService } from '../support/servers/service.ts'
import { thorough } from '../support/thoroughness.ts'

const ADMIN_TOKEN = 'f'.repeat(64)
/** For each thing that a request to a route may get wrong; `npm run bench -- fuzz` sends 10,000 to each family of routes. */
const REQUESTS = thorough ? 6 : 1
test('no request that the schemas of the routes allow, nor any that they do not, makes the service fail or say how it works', {
  timeout: 300_000,
}, async () => {
  await using service = await startTestService({
    clock: '2026-04-14T05:00:00Z',
    days: ['2026-04-10', '2026-04-13', '2026-04-14'],
    settings: { ADMIN_TOKEN, TRUST_PROXY: '127.0.0.0/8', WEBHOOK_POSTMARK_LOGIN: 'user:a-rather-long-password' },
  })
  await using site = await openTestSite({ adminToken: ADMIN_TOKEN })
  const tokens = await collectTokens(service)
  expect(tokens.length).toBeGreaterThanOrEqual(4)
  const sender = openSender(service.url)
  const statuses = new Map<number, number>()
  try {
    for (const route of site.app.routeTable) {
      const request = nullRequestTo(route)
      expect(faultOf(request, await sender.send(request)), request.path).toBeNull()
      await fc.assert(
        fc.asyncProperty(requestsTo(route, tokens, ADMIN_TOKEN), async (request) => {
          const answer = await sender.send(request)
          statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
          expect(faultOf(request, answer)).toBeNull()
        }),
        { numRuns: shareOf(route) * REQUESTS },
      )
    }
  } finally {
    sender.close()
  }
  expect(service.logged.filter((line) => line.includes('a request failed'))).toEqual([])
  // They get past the door: pages and refusals of several kinds are among the answers.
  for (const status of [200, 400, 404]) expect(statuses.get(status) ?? 0).toBeGreaterThan(0)
})
