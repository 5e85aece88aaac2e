/** The role `api`: the site, and what providers tell by webhook. */
import type { AddressInfo } from 'node:net'
import { createMailgunReader } from '../../src/adapters/bounces/webhook-mailgun.ts'
import { createPostmarkReader } from '../../src/adapters/bounces/webhook-postmark.ts'
import { createSendgridReader } from '../../src/adapters/bounces/webhook-sendgrid.ts'
import { createSesReader } from '../../src/adapters/bounces/webhook-ses.ts'
import { fetchPinnedText } from '../../src/adapters/sources/pinned-fetch.ts'
import { createPages } from '../../src/adapters/templates/pages.ts'
import type { ReadWebhook } from '../../src/core/bounces/provider-event.ts'
import { buildApp } from '../../src/http/app.ts'
import { createArchive } from '../../src/newsletter/archive.ts'
import { createEditionCheck } from '../../src/newsletter/feedback/edition-alarm.ts'
import { createWebhooks } from '../../src/newsletter/feedback/webhooks.ts'
import { createPreviews } from '../../src/newsletter/publishing/preview.ts'
import { createSubscriptions } from '../../src/newsletter/subscription/subscription.ts'
import type { Config } from '../config/config.ts'
import type { RoleContext } from './context.ts'

/** Listens; rejects where the port is taken. */
export const openApi = async ({ config, runtime, db, wake, looks }: RoleContext) => {
  const { keys, now, log, mailboxUrl } = runtime
  const app = buildApp({
    subscriptions: createSubscriptions({
      db,
      keys,
      now,
      // What was asked for is in the database by then: nobody waits for the queue to get an answer.
      wake: async (queueName) => {
        void wake(queueName)
      },
    }),
    archive: createArchive({ db, keys, now }),
    previews: createPreviews({ db, now }),
    webhooks: createWebhooks({
      db,
      keys,
      now,
      log,
      checkEditions: createEditionCheck({ db, log }, () => performance.now()),
      bounceDomain: config.bounceDomain,
      mailDomain: config.mailFrom.address.split('@')[1] ?? 'localhost',
      readers: openWebhookReaders(config),
    }),
    pages: createPages({ mailboxUrl }),
    baseUrl: config.baseUrl,
    trustProxy: config.trustProxy,
    log,
    ...looks,
    adminToken: config.adminToken,
  })
  const close = async () => {
    await app.close()
  }
  try {
    await app.listen({ host: config.host, port: config.port })
  } catch (error) {
    await close()
    throw error
  }
  const { port } = app.server.address() as AddressInfo
  const host = config.host === '0.0.0.0' || config.host === '127.0.0.1' ? 'localhost' : config.host
  return { url: `http://${host}:${port}`, close }
}

/** Those of the providers that were set up. */
const openWebhookReaders = ({ webhooks }: Config): Map<string, ReadWebhook> => {
  const readers = new Map<string, ReadWebhook>()
  const { ses, postmark, mailgun, sendgrid } = webhooks
  if (ses !== null) readers.set('ses', createSesReader({ topicArn: ses, fetchText: fetchPinnedText }))
  if (postmark !== null) readers.set('postmark', createPostmarkReader(postmark))
  if (mailgun !== null) readers.set('mailgun', createMailgunReader(mailgun))
  if (sendgrid !== null) readers.set('sendgrid', createSendgridReader(sendgrid))
  return readers
}
