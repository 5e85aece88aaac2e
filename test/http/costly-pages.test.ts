/** Costly pages: one at a time. */
import { expect, test } from 'vitest'
import { createTurns } from '../../src/http/costly-pages.ts'
import type { Subscriptions } from '../../src/newsletter/subscription/subscription.ts'
import { openTestSite } from '../support/servers/recording-site.ts'

test('of work that is asked for at once one piece goes on after the other, and others have room between, failed or not', async () => {
  const inTurn = createTurns()
  const events: string[] = []
  const work = (name: string, fails = false) =>
    inTurn(async () => {
      events.push(`${name} begins`)
      await Promise.resolve()
      events.push(`${name} ends`)
      if (fails) throw new Error(name)
      return name
    })
  const asked = [work('a'), work('b', true), work('c')]
  // What is due in the event loop after a, and before c, as a request is that comes meanwhile.
  void asked[0]?.then(() => setImmediate(() => events.push('a request')))
  expect((await Promise.allSettled(asked)).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(events.filter((event) => event !== 'a request')).toEqual([
    'a begins',
    'a ends',
    'b begins',
    'b ends',
    'c begins',
    'c ends',
  ])
  expect(events.indexOf('a request')).toBeLessThan(events.indexOf('c begins'))
})

test('work that is asked for begins once what it gives way to has passed', async () => {
  const forms = Promise.withResolvers<void>()
  const inTurn = createTurns(() => forms.promise)
  const events: string[] = []
  const asked = inTurn(async () => events.push('a page'))
  // All that is due in the event loop, and so the page too, if it did not wait.
  await new Promise((resolve) => setTimeout(resolve, 0))
  events.push('a form')
  forms.resolve()
  await asked
  expect(events).toEqual(['a form', 'a page'])
})

test('a preview is made, too, while a form is being answered that does not end', async () => {
  const form = Promise.withResolvers<never>()
  const begun = Promise.withResolvers<void>()
  const subscriptions = {
    stampForm: () => 'stamp',
    sealAddress: () => 'sealed',
    requestLinks: () => {
      begun.resolve()
      return form.promise
    },
  } as unknown as Subscriptions
  await using site = await openTestSite({ subscriptions })
  const asked = fetch(`${site.url}/links`, { method: 'POST', body: new URLSearchParams({ email: 'ada@example.org' }) })
  await begun.promise
  expect((await fetch(`${site.url}/preview?topics=agents`)).status).toBe(200)
  form.reject(new Error('it ends after all'))
  expect((await asked).status).toBe(500)
})
