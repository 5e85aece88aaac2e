/** The role `api`: the site, and the webhooks of providers. */

import type { AddressInfo } from 'node:net'
import { createMailgunReader } from '../../src/adapters/bounces/webhook-mailgun.ts'
import { createPostmarkReader } from '../../src/adapters/bounces/webhook-postmark.ts'
import { createSendgridReader } from '../../src/adapters/bounces/webhook-sendgrid.ts'
import { createSesReader } from '../../src/adapters/bounces/webhook-ses.ts'
import { createLookup } from '../../src/adapters/checkup/name-servers.ts'
import { createLibraryReader } from '../../src/adapters/library-thread.ts'
import { createTakesMail } from '../../src/adapters/mail-domains.ts'
import { drawMailLogo } from '../../src/adapters/mail-logo.ts'
import { isPrivateLiteral } from '../../src/adapters/public-network.ts'
import { createShareImages } from '../../src/adapters/share-image.ts'
import { fetchPinnedText } from '../../src/adapters/sources/pinned-fetch.ts'
import { createPages } from '../../src/adapters/templates/pages.ts'
import type { ReadWebhook } from '../../src/core/bounces/provider-event.ts'
import type { Logo } from '../../src/core/branding/logo.ts'
import { sourcesRead } from '../../src/core/papers/sources-read.ts'
import { buildApp } from '../../src/http/app.ts'
import { createArchive } from '../../src/newsletter/archive/archive.ts'
import { createArchiveVersion } from '../../src/newsletter/archive/archive-version.ts'
import { keepFeeds, keepLists } from '../../src/newsletter/archive/list-cache.ts'
import { createCitations } from '../../src/newsletter/citations.ts'
import { createComparisons } from '../../src/newsletter/comparison.ts'
import { createCurations } from '../../src/newsletter/curation/curations.ts'
import { createSuggestions } from '../../src/newsletter/curation/suggestions.ts'
import { createExplanations } from '../../src/newsletter/explanation.ts'
import { createEditionCheck } from '../../src/newsletter/feedback/edition-alarm.ts'
import { createWebhooks } from '../../src/newsletter/feedback/webhooks.ts'
import { createFeeds } from '../../src/newsletter/feeds.ts'
import { createGroupChannels } from '../../src/newsletter/group-channel.ts'
import { createGroups } from '../../src/newsletter/groups.ts'
import { createLibraries } from '../../src/newsletter/libraries.ts'
import { createOperators } from '../../src/newsletter/operators.ts'
import { createCandidateCache } from '../../src/newsletter/publishing/candidate-cache.ts'
import { createPastPools } from '../../src/newsletter/publishing/past-pools.ts'
import { createPreviews } from '../../src/newsletter/publishing/preview.ts'
import { createReadingLists } from '../../src/newsletter/reading-list.ts'
import { createSavedPapers } from '../../src/newsletter/saved-papers.ts'
import { createAccounts } from '../../src/newsletter/subscription/accounts.ts'
import { createSubscriptions } from '../../src/newsletter/subscription/subscription.ts'
import { createTasteProposals } from '../../src/newsletter/taste-proposals.ts'
import { createTastes } from '../../src/newsletter/tastes.ts'
import { createVotes } from '../../src/newsletter/votes.ts'
import type { Config } from '../config/config.ts'
import { DEFAULT_SENDER } from '../config/senders.ts'
import { UnusableSettings } from '../config/settings.ts'
import { openScorer } from '../scorer.ts'
import type { RoleContext } from './context.ts'

/** What the site needs of a process: it wakes queues and has none. */
type ApiContext = Omit<RoleContext, 'queue' | 'databaseUrl' | 'smtpUrl' | 'alone'>

/** Starts the site; rejects when the port is in use. */
export const openApi = async (context: ApiContext) => {
  const { config, db, keys, now, log, wake, mailboxUrl, requireSpace, forgetMails, operations } = context
  const { measured } = await openScorer(config)
  const candidates = createCandidateCache({ db, now })
  const archiveVersion = createArchiveVersion({ db, now }, () => performance.now())
  const pools = createPastPools({ db, now })
  const subscribing = {
    db,
    keys,
    now,
    serviceName: config.branding.name,
    requireSpace,
    forgetMails,
    candidates,
    limits: config.signUpLimits,
    // What was requested is in the database by then: no response waits for the queue.
    wake: async (name: 'letters') => {
      void wake(name)
    },
  }
  const app = buildApp({
    subscriptions: createSubscriptions(subscribing),
    accounts: createAccounts(subscribing),
    votes: createVotes(subscribing),
    groups: createGroups(subscribing),
    groupChannels: createGroupChannels({ db, keys, now, isPrivateLiteral }),
    savedPapers: createSavedPapers(subscribing),
    tastes: createTastes(subscribing),
    readingLists: createReadingLists({ ...subscribing, baseUrl: config.baseUrl }),
    proposals: createTasteProposals(subscribing),
    citations: createCitations({ db, keys, now }),
    curations: createCurations({ db, keys, now, wakeFetch: () => void wake('tick') }),
    suggestions: createSuggestions({ db, keys, now, requireSpace }),
    feeds: keepFeeds(createFeeds({ db, keys, now, baseUrl: config.baseUrl }), archiveVersion),
    archive: keepLists(createArchive({ db, keys, now }), archiveVersion),
    archiveVersion,
    previews: createPreviews({ db, now, candidates }),
    explanations: createExplanations({ db, keys, now, reads: sourcesRead(config.sources), pools }),
    comparisons: createComparisons({ db, keys, now, pools }),
    libraries: createLibraries({ db, now, candidates, readLibrary: createLibraryReader(config.relevanceModel) }),
    webhooks: createWebhooks({
      db,
      keys,
      now,
      log,
      checkEditions: createEditionCheck({ db, log }, () => performance.now()),
      bounceDomain: config.bounceDomain,
      readers: openWebhookReaders(config),
    }),
    topicQuality: measured,
    ...(config.domainServers === null ? {} : { takesMail: createTakesMail(createLookup(config.domainServers)) }),
    serviceName: config.branding.name,
    hasImprint: config.branding.texts.imprint !== null,
    privacy: {
      operator: config.operatorName,
      postalAddress: config.postalAddress,
      contact: config.contactEmail,
      retention: config.retention,
      keepDeliveries: config.keepDeliveries,
    },
    pages: createPages({
      mailboxUrl,
      sources: config.sources.map(({ kind }) => kind),
      ...(await ownLooks(config)),
    }),
    drawShareImage: createShareImages(config.branding).draw,
    baseUrl: config.baseUrl,
    trustProxy: config.trustProxy,
    log,
    ...operations,
    ...(context.tracing === null ? {} : { tracing: context.tracing.requests }),
    roleOfToken:
      config.admin === null ? null : createOperators({ db, keys, now, adminToken: config.adminToken }).roleOf,
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

/** What the installation has of its own on its pages; `UnusableSettings` where its logo cannot be drawn. */
const ownLooks = async ({ branding, contactEmail }: Config) => {
  const drawn = branding.logo === null ? null : await drawLogo(branding.logo)
  return {
    branding,
    // Where no sender is set, nobody reads what is written to it.
    contact: contactEmail === DEFAULT_SENDER.address ? null : contactEmail,
    files: drawn === null ? [] : [drawn.file],
    logoOnPaper: drawn?.onPaper ?? false,
  }
}

const drawLogo = (logo: Logo) =>
  drawMailLogo(logo).catch((error: Error) => {
    throw new UnusableSettings([`BRANDING_DIR: ${error.message}`])
  })

/** The webhooks of the providers that are configured, by name. */
const openWebhookReaders = ({ webhooks }: Config): Map<string, ReadWebhook> => {
  const readers = new Map<string, ReadWebhook>()
  const { ses, postmark, mailgun, sendgrid } = webhooks
  if (ses !== null) readers.set('ses', createSesReader({ topicArn: ses, fetchText: fetchPinnedText }))
  if (postmark !== null) readers.set('postmark', createPostmarkReader(postmark))
  if (mailgun !== null) readers.set('mailgun', createMailgunReader(mailgun))
  if (sendgrid !== null) readers.set('sendgrid', createSendgridReader(sendgrid))
  return readers
}
