/** What the site answers to an address, on a real database: the same for every address, whatever is known of it. */
import { expect, test } from 'vitest'
import { createSubscriptions } from '../../src/newsletter/subscription/subscription.ts'
import { EVERY_STATE, storeInState } from '../support/fixtures/every-state.ts'
import { KEYS, openNewsletter, wakeNobody } from '../support/fixtures/newsletter.ts'
import { openTestSite } from '../support/servers/recording-site.ts'

const NOW = new Date('2026-04-14T05:00:00Z')

/** What is another in each answer: a sealed address, and of a challenge its numbers and its ticket. */
const RANDOM = /\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|(?<![\w-])[\w-]{80,}|\b[0-9a-f]{16,}\b/g

/** Everything of an answer but its date, with the length of what is random, and without the address itself. */
const bytesOf = async (answer: Response, email: string): Promise<string> => {
  const { date, ...headers } = Object.fromEntries(answer.headers)
  const text = JSON.stringify([answer.status, headers, await answer.text()])
  return text.replaceAll(email, 'THE ADDRESS').replace(RANDOM, ({ length }) => `<${length}>`)
}

test.each([
  ['as it is answered next', { client: 1e9, domain: 1e9, all: 1e9 }],
  ['as it is held, with work asked for', { client: 0, domain: 0, all: 0 }],
])('body, headers and status are the same bytes for every state of an address, %s', async (_, limits) => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  // The domains have one letter each, so that all addresses are of one length.
  const addresses = EVERY_STATE.map((state, n) => [state, `reader${n}@${'abcdefghi'[n]}.org`] as const)
  for (const [state, email] of addresses) await storeInState(db, state, email, NOW)
  await db.deleteFrom('sign_up_counts').execute()
  const subscriptions = createSubscriptions({ db, keys: KEYS, now: () => NOW, wake: wakeNobody, limits })
  await using site = await openTestSite({ subscriptions, trustProxy: ['127.0.0.1'] })
  let clients = 0
  for (const path of ['/subscribe', '/links', '/vote', '/api/v1/subscribe']) {
    for (const type of ['application/json', 'application/x-www-form-urlencoded']) {
      const answers = new Map<string, string>()
      for (const [state, email] of addresses) {
        const fields = { email, ...(path === '/vote' ? { paper: '2604.11784' } : {}) }
        const body = type.includes('json') ? JSON.stringify(fields) : new URLSearchParams(fields).toString()
        const answer = await fetch(site.url + path, {
          method: 'POST',
          // Each of a client of its own, which is told how many requests it has left.
          headers: {
            'content-type': type,
            accept: type.includes('json') ? type : 'text/html',
            'x-forwarded-for': `192.0.2.${++clients}`,
          },
          body,
          redirect: 'manual',
        })
        const next = answer.headers.get('location')
        const page = next === null ? '' : await bytesOf(await fetch(site.url + next), email)
        answers.set(state, (await bytesOf(answer, email)) + page)
      }
      expect(new Set(answers.values()).size, `${path} ${type}`).toBe(1)
    }
  }
})
