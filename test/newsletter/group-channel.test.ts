/** The list of a group's week at its channel: signed, once, as a text too; addresses of private networks are refused. */
import { expect, test } from 'vitest'
import { isPrivateLiteral } from '../../src/adapters/public-network.ts'
import { postWebhook } from '../../src/adapters/standard-webhook.ts'
import { channelText } from '../../src/core/groups/channel-text.ts'
import { deriveToken } from '../../src/core/token.ts'
import { createWebhookSender } from '../../src/newsletter/event-webhooks.ts'
import { createGroupChannels } from '../../src/newsletter/group-channel.ts'
import { createGroups } from '../../src/newsletter/groups.ts'
import { publishDue } from '../../src/newsletter/publishing/publisher.ts'
import { disableEndpoint, readEndpoints, readGroupEndpoint } from '../../src/store/event-webhooks.ts'
import {
  KEYS,
  LONDON_DAILY,
  openNewsletter,
  SILENT,
  storeDay,
  subscribe,
  wakeNobody,
} from '../support/fixtures/newsletter.ts'
import { openWebhookReceiver } from '../support/servers/webhook-receiver.ts'

const NOW = new Date('2026-04-14T10:00:00Z')
const WEDNESDAY = new Date('2026-04-15T06:30:00Z')

test('a channel gets the list of the week, signed, and its page says how it stands', async () => {
  await using newsletter = await openNewsletter()
  await using receiver = await openWebhookReceiver()
  const { db } = newsletter
  for (const day of ['2026-04-13', '2026-04-14']) await storeDay(db, day, ['robotics', 'agents'])
  const id = await subscribe(db, 'ada@example.org', LONDON_DAILY, NOW)
  const other = await subscribe(db, 'ben@example.org', LONDON_DAILY, NOW)
  const token = deriveToken(KEYS, 'preferences', id)
  const ports = { db, keys: KEYS, now: () => NOW }
  const made = await createGroups(ports).make(token, { name: 'Vision Lab', topics: ['agents'], weekday: '3' })
  if (made === null || typeof made === 'string' || !('id' in made)) throw new Error('no group was made')
  const channels = createGroupChannels({ ...ports, isPrivateLiteral })

  for (const url of [
    'http://hooks.example.org/a',
    'https://127.0.0.1/a',
    'https://[::1]/a',
    'https://10.0.0.7/a',
    'chat',
  ])
    expect([url, await channels.set(token, made.id, url)]).toEqual([url, { problem: expect.any(String) }])
  expect(await channels.set(deriveToken(KEYS, 'preferences', other), made.id, 'https://a.example.org')).toBe('no group')
  expect(await channels.test(token, made.id)).toEqual({ problem: 'The group has no channel.' })
  const set = await channels.set(token, made.id, 'https://hooks.example.org/secret-path')
  if (set === null || typeof set === 'string' || !('secret' in set)) throw new Error('no channel was set')
  // Of the address the host alone; and no operator's list has it.
  expect(await channels.read(token, made.id)).toEqual({
    channel: { host: 'hooks.example.org', delivered: 0, waiting: 0, failing: false, disabled: null },
  })
  expect(await readEndpoints(db)).toEqual([])

  await db.updateTable('webhook_endpoints').set({ url: receiver.url, any_network: true }).execute()
  const send = createWebhookSender({
    db,
    keys: KEYS,
    log: SILENT,
    machineTime: () => new Date(),
    post: (message, signal) => postWebhook(message, () => new Date(), signal),
    signal: new AbortController().signal,
  })
  expect(await channels.test(token, made.id)).toBe('done')
  expect(await channels.test(token, made.id)).toMatchObject({ problem: expect.stringContaining('on its way') })
  await send()
  const publish = () => publishDue({ db, log: SILENT, wake: wakeNobody }, WEDNESDAY)
  await Promise.all([publish(), publish()])
  await send()
  const [tried, listed, ...more] = receiver.received
  if (tried === undefined || listed === undefined) throw new Error('nothing was received')
  expect(more).toEqual([])
  expect(receiver.verify(set.secret, tried)).toMatchObject({
    type: 'webhook.test',
    text: expect.stringMatching(/^A test/),
  })
  const { type, data, ...rest } = receiver.verify(set.secret, listed)
  const { papers, ...about } = data as { papers: { id: string; title: string; url: string; reason: string }[] }
  expect(type).toBe('group.list')
  expect(about).toEqual({ group: { id: made.id, name: 'Vision Lab' }, date: '2026-04-15' })
  const { entries } = await db.selectFrom('group_lists').select('entries').executeTakeFirstOrThrow()
  expect(papers.map((paper) => paper.id)).toEqual(entries.map(({ paperId }) => paperId))
  expect(papers.length).toBeGreaterThan(0)
  expect(rest).toMatchObject({ text: channelText('Vision Lab', '2026-04-15', papers) })
  expect(await channels.read(token, made.id)).toMatchObject({ channel: { delivered: 2, failing: false } })

  const endpoint = await readGroupEndpoint(db, made.id)
  await disableEndpoint(db, endpoint?.id ?? '', 'it has taken nothing for five days: it answered 500')
  expect(await channels.read(token, made.id)).toMatchObject({
    channel: { disabled: expect.stringMatching(/five days/) },
  })
  expect(await channels.enable(token, made.id)).toBe('done')
  expect(await channels.remove(token, made.id)).toBe('done')
  expect(await channels.read(token, made.id)).toEqual({ channel: undefined })
})

test('a title calls nobody in the text of a channel, and opens no markup', () => {
  const text = channelText('Vision Lab', '2026-04-15', [
    { title: '<!channel> @all\nnext', url: 'https://arxiv.org/abs/2604.1', reason: '' },
  ])
  expect(text).toBe('Vision Lab, Wednesday 15 April 2026\n\n1. ‹!channel› ＠all next\n   https://arxiv.org/abs/2604.1')
})
