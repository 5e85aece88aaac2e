/**
 * The channel of a group: an address of its maker's to which the list of each week is posted, signed. Delivery, its retries and
 * its end after five days of failures are those of event webhooks; a receiver in a private network is refused.
 */
import { FORMER_SECRET_FOR, readWebhookUrl, secretOf } from '../core/event-webhook.ts'
import type { Keys } from '../core/token.ts'
import type { Database } from '../store/database.ts'
import {
  deleteEndpoint,
  type EndpointRow,
  enableEndpoint,
  insertEndpoint,
  readGroupEndpoint,
  renewSecret,
  storeTestMessage,
} from '../store/event-webhooks.ts'
import { readGroups } from '../store/groups.ts'
import { actAsMaker, type GroupRefusal } from './groups.ts'
import { findTokenOwner } from './subscription/token-owner.ts'

/** How a channel stands. Of its address the host alone: it may be a secret, and the link to the page may be forwarded. */
export interface Channel {
  host: string
  delivered: number
  waiting: number
  failing: boolean
  /** Why nothing is posted any more; `null` while it is. */
  disabled: string | null
}

/** `secret`: what verifies the messages, shown once. */
export type ChannelOutcome = { secret: string } | { problem: string } | 'done' | GroupRefusal | null

/** `null` always means: that preferences link is unknown, altered, of another purpose or dead. */
export interface GroupChannels {
  /** `undefined`: the group has none. */
  read(token: string, groupId: string): Promise<{ channel: Channel | undefined } | GroupRefusal | null>
  /** Sets the address, in place of one that there was. */
  set(token: string, groupId: string, url: string): Promise<ChannelOutcome>
  /** Another secret; for a day messages are signed with both. */
  renewSecret(token: string, groupId: string): Promise<ChannelOutcome>
  /** Owes it a message that tells of nothing. */
  test(token: string, groupId: string): Promise<ChannelOutcome>
  /** Has lists posted again after it was disabled. */
  enable(token: string, groupId: string): Promise<ChannelOutcome>
  remove(token: string, groupId: string): Promise<ChannelOutcome>
}

export interface GroupChannelPorts {
  db: Database
  keys: Keys
  now: () => Date
  /** Whether a host is an address that is not of the public internet. */
  isPrivateLiteral: (hostname: string) => boolean
}

const NO_CHANNEL = { problem: 'The group has no channel.' }

const channelOf = ({ url, delivered, waiting, failing_since, disabled_at, disabled_why }: EndpointRow): Channel => ({
  host: new URL(url).host,
  delivered,
  waiting,
  failing: failing_since !== null,
  disabled: disabled_at === null ? null : (disabled_why ?? ''),
})

export const createGroupChannels = ({ db, keys, now, isPrivateLiteral }: GroupChannelPorts): GroupChannels => {
  /** Does something to the channel of a group, if it has one. */
  const act = (
    token: string,
    groupId: string,
    change: (trx: Database, channel: EndpointRow, group: { name: string }) => Promise<Exclude<ChannelOutcome, null>>,
  ): Promise<ChannelOutcome> =>
    actAsMaker<Exclude<ChannelOutcome, null>>({ db, keys }, token, groupId, async (trx, group) => {
      const channel = await readGroupEndpoint(trx, groupId)
      return channel === undefined ? NO_CHANNEL : change(trx, channel, group)
    })

  return {
    // Locks nothing: a page that is only read is there while the database takes no changes.
    async read(token, groupId) {
      const owner = await findTokenOwner(db, keys, 'preferences', token)
      if (owner === null) return null
      const [group] = owner.group_ids.includes(groupId) ? await readGroups(db, [groupId]) : []
      if (group === undefined) return 'no group'
      if (group.maker_id !== owner.id) return 'not yours'
      const channel = await readGroupEndpoint(db, groupId)
      return { channel: channel && channelOf(channel) }
    },

    set: (token, groupId, typed) =>
      actAsMaker<Exclude<ChannelOutcome, null>>({ db, keys }, token, groupId, async (trx) => {
        const read = readWebhookUrl(typed)
        if ('problem' in read) return read
        if (read.url.protocol !== 'https:') return { problem: 'It must begin with https://.' }
        if (isPrivateLiteral(read.url.hostname)) return { problem: 'This address is not of the public internet.' }
        const former = await readGroupEndpoint(trx, groupId)
        if (former !== undefined) await deleteEndpoint(trx, former.id)
        const endpoint = await insertEndpoint(trx, {
          url: read.url.href,
          events: ['group.list'],
          with_addresses: false,
          any_network: false,
          added_at: now(),
          added_by: 'a group',
          group_id: groupId,
        })
        return { secret: secretOf(keys, endpoint) }
      }),

    renewSecret: (token, groupId) =>
      act(token, groupId, async (trx, { id }) => {
        const renewed = await renewSecret(trx, id, FORMER_SECRET_FOR)
        return renewed === undefined ? NO_CHANNEL : { secret: secretOf(keys, renewed) }
      }),

    test: (token, groupId) =>
      act(token, groupId, async (trx, channel, { name }) => {
        if (channel.disabled_at !== null) return { problem: 'Nothing is posted there at the moment. Turn it on first.' }
        if (channel.waiting > 0) return { problem: 'A message is on its way still. Try again once it has arrived.' }
        await storeTestMessage(trx, channel.id, { text: `A test. The papers of ${name} will be posted here.` })
        return 'done'
      }),

    enable: (token, groupId) =>
      act(token, groupId, async (trx, { id }) => {
        await enableEndpoint(trx, id)
        return 'done'
      }),

    remove: (token, groupId) =>
      act(token, groupId, async (trx, { id }) => {
        await deleteEndpoint(trx, id)
        return 'done'
      }),
  }
}
