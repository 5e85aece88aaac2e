/** The page of webhooks: a receiver is added, tested, looked after and removed by an operator who may. */
import { expect, test } from 'vitest'
import { postWebhook } from '../../../src/adapters/standard-webhook.ts'
import { createWebhookSender } from '../../../src/newsletter/event-webhooks.ts'
import { KEYS, SILENT } from '../../support/fixtures/newsletter.ts'
import { type AdminTestSite, openAdminSite } from '../../support/servers/admin-site.ts'
import { openWebhookReceiver } from '../../support/servers/webhook-receiver.ts'

const machineTime = () => new Date()

/** Sends what is due as the scheduler does. The pages add receivers of the public internet alone: here one is on loopback. */
const send = async ({ db }: AdminTestSite, to: string) => {
  await db.updateTable('webhook_endpoints').set({ url: to, any_network: true }).execute()
  const signal = new AbortController().signal
  await createWebhookSender({
    db,
    keys: KEYS,
    log: SILENT,
    machineTime,
    post: (post, ending) => postWebhook(post, machineTime, ending),
    signal,
  })()
}

const NEW = { url: 'https://hooks.example.org/round?a=<b>', events: 'subscriber.left', addresses: '' }

test('a receiver is added with what it is told, shows its secret once asked for, and lists each attempt', async () => {
  await using site = await openAdminSite()
  await using receiver = await openWebhookReceiver((_, count) => ({ status: count === 1 ? 503 : 204 }))
  const own = await site.signInAs('own')
  expect((await own.get('/admin/webhooks')).text).toContain('Nobody is told of anything.')
  const added = await own.post('/admin/webhooks', NEW)
  expect(added).toMatchObject({ status: 303, location: expect.stringMatching('^/admin/webhooks/[0-9a-f-]{36}$') })
  const path = added.location ?? ''
  const page = await own.get(path)
  expect(page.text).toContain('It is told of what happens from now on.')
  expect(page.text).toContain('https://hooks.example.org/round?a=%3Cb%3E')
  expect(page.text).not.toContain('whsec_')
  const shown = await own.post(`${path}/secret`)
  const [secret = ''] = /whsec_[A-Za-z0-9+/=]+/.exec(shown.text) ?? []
  expect((await own.press(`${path}/test`)).text).toContain('A test is on its way.')
  await send(site, receiver.url)
  const [message] = receiver.received
  if (message === undefined) throw new Error('nothing was received')
  expect(receiver.verify(secret, message)).toMatchObject({ type: 'webhook.test' })
  expect((await own.get(path)).text).toMatch(/it answered 503, \d+ ms/)
  expect((await own.get('/admin/webhooks')).text).toContain('Takes nothing since')

  const renewed = await own.press(`${path}/renew-secret`)
  expect(renewed.text).toContain('It has another secret.')
  expect((await own.post(`${path}/secret`)).text).not.toContain(secret)
  expect((await own.press(`${path}/disable`)).text).toContain('Disabled since')
  const refused = await own.post(`${path}/test`)
  expect(refused).toMatchObject({ status: 422, text: expect.stringContaining('It is disabled; enable it first.') })
  expect((await own.press(`${path}/enable`)).text).toContain('Enabled')
  expect((await own.press(`${path}/send-again`)).text).toContain('One message is sent again.')
  await send(site, receiver.url)
  expect(receiver.received).toHaveLength(2)
  expect((await own.get(path)).text).toMatch(/it answered 204, \d+ ms/)
  expect((await own.press(`${path}/remove`)).text).toContain('is removed, with its messages.')
  expect((await own.get(path)).status).toBe(404)
})

test('what cannot be added is said beside the form, which keeps what was typed', async () => {
  await using site = await openAdminSite()
  const own = await site.signInAs('own')
  for (const [change, says] of [
    [{ url: 'hooks.example.org' }, 'Write the address of a receiver'],
    [{ url: 'http://127.0.0.1:9/' }, 'not of the public internet'],
    [{ url: 'http://hooks.example.org/', addresses: 'yes' }, 'by https:// only'],
    [{ events: 'email.opened' }, 'There is no event email.opened.'],
  ] as const) {
    const answer = await own.post('/admin/webhooks', { ...NEW, ...change })
    expect([answer.status, answer.text]).toEqual([422, expect.stringContaining(says)])
    expect(answer.text).toContain(`value="${{ ...NEW, ...change }.url.replace('<', '&lt;').replace('>', '&gt;')}"`)
  }
  expect(await site.db.selectFrom('webhook_endpoints').selectAll().execute()).toEqual([])
})

test('operators who may not say who is told see nothing of it', async () => {
  await using site = await openAdminSite()
  for (const role of ['look', 'act'] as const)
    expect((await (await site.signInAs(role)).get('/admin/webhooks')).status).toBe(403)
})

test('an id that is none is answered as one that is not there', async () => {
  await using site = await openAdminSite()
  const own = await site.signInAs('own')
  for (const id of ['nonsense', '00000000-0000-0000-0000-000000000000', "'; drop table x"]) {
    const path = `/admin/webhooks/${encodeURIComponent(id)}`
    expect((await own.get(path)).status).toBe(404)
    for (const act of ['test', 'secret', 'renew-secret', 'disable', 'enable', 'remove', 'send-again'])
      expect([id, act, (await own.post(`${path}/${act}`)).status]).toEqual([id, act, 404])
  }
})
