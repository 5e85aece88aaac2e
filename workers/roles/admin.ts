/** The admin site, beside the public one in the role `api`: the pages for operators, at an address of its own. */
import type { AddressInfo } from 'node:net'
import { isPrivateLiteral } from '../../src/adapters/public-network.ts'
import { createMailTemplates, type MailTemplates } from '../../src/adapters/templates/mail-templates.ts'
import { createPages } from '../../src/adapters/templates/pages.ts'
import { topicLabel } from '../../src/core/subscriber/followed.ts'

import { type AdminAppOptions, buildAdminApp } from '../../src/http/admin/app.ts'
import { createEditionAdministration } from '../../src/newsletter/administration/editions.ts'
import { createPaperAdministration } from '../../src/newsletter/administration/papers.ts'
import { createQueueAdministration } from '../../src/newsletter/administration/queue.ts'
import { createRouteAdministration } from '../../src/newsletter/administration/routes.ts'
import { createSetAsideAdministration } from '../../src/newsletter/administration/set-aside.ts'
import { createSourceAdministration } from '../../src/newsletter/administration/sources.ts'
import { createSubscriberAdministration } from '../../src/newsletter/administration/subscribers.ts'
import { createSuppressionAdministration } from '../../src/newsletter/administration/suppressions.ts'
import { type AnnouncementDesk, createAnnouncements } from '../../src/newsletter/announcements.ts'
import { createAudit } from '../../src/newsletter/audit.ts'
import { createChartReader } from '../../src/newsletter/charts.ts'
import { createEventWebhooks } from '../../src/newsletter/event-webhooks.ts'
import { createOperators } from '../../src/newsletter/operators.ts'
import { domainOf } from '../../src/newsletter/sending/mail.ts'
import { createTodayReader } from '../../src/newsletter/today.ts'
import type { Config } from '../config/config.ts'
import type { AdminListener } from '../config/network.ts'
import { openSources } from '../sources.ts'
import type { RoleContext } from './context.ts'

type AdminContext = Pick<RoleContext, 'config' | 'db' | 'keys' | 'now' | 'log' | 'wake' | 'forgetMails'> & {
  queue: Pick<RoleContext['queue'], 'readStates' | 'openBoard'>
}

/** What the pages work with; each subject adds its use cases. */
export const adminOptions = (context: AdminContext, host: string): AdminAppOptions => {
  const { config, db, keys, now, log, wake, forgetMails, queue } = context
  const pages = createPages({ branding: config.branding })
  return {
    host,
    trustProxy: config.trustProxy,
    log,
    pages: { ...pages, assets: pages.adminAssets },
    operators: createOperators({ db, keys, now, adminToken: config.adminToken }),
    today: createTodayReader({ db, now }),
    charts: createChartReader({ db, now }),
    eventWebhooks: createEventWebhooks({ db, keys, now, isPrivateLiteral }),
    announcements: { ...createAnnouncements({ db, now, wake }), render: createAnnouncementRenderer(config) },
    audit: createAudit({ db, now }),
    editions: createEditionAdministration({ db, log, now, wake }),
    subscribers: createSubscriberAdministration({ db, keys, now, wake, forgetMails }),
    suppressions: createSuppressionAdministration({ db, keys, now }),
    setAside: createSetAsideAdministration({ db, wake }),
    mailDomains: { digests: domainOf(config.mailFrom), letters: domainOf(config.lettersFrom) },
    papers: createPaperAdministration({ db, keys, now, wakeLetters: () => void wake('letters') }),
    sources: createSourceAdministration({ db, now, wake, labels: openSources(config).map(({ label }) => label) }),
    routes: createRouteAdministration({ db, log, now }),
    queue: createQueueAdministration({
      db,
      now,
      wake,
      readStates: () => queue.readStates(),
      openBoard: () => queue.openBoard(),
    }),
  }
}

/** Renders announcements; the templates, which take a second to compile, are made for the first. */
const createAnnouncementRenderer = ({ baseUrl, postalAddress, branding }: Config): AnnouncementDesk['render'] => {
  let templates: Promise<MailTemplates> | null = null
  return async (text, topics) => {
    templates ??= createMailTemplates({ baseUrl, postalAddress, branding }).catch((error) => {
      templates = null
      throw error
    })
    return (await templates).renderAnnouncement({ ...text, topics: topics?.map(topicLabel) ?? null })
  }
}

/**
 * Starts it; rejects when the port is in use, but returns `null`, and logs it, where that port was not chosen: whoever set
 * ADMIN_TOKEN for /metrics alone asked for none, and mail goes out all the same.
 */
export const openAdmin = async (
  context: AdminContext,
  { host, port, chosen }: AdminListener,
): Promise<{ url: string; close(): Promise<void> } | null> => {
  const app = buildAdminApp(adminOptions(context, host))
  try {
    await app.listen({ host, port })
  } catch (error) {
    await app.close()
    if (chosen || (error as { code?: string }).code !== 'EADDRINUSE') throw error
    context.log.warn({ port }, 'the port of the admin pages is in use, so there are none; set ADMIN_PORT')
    return null
  }
  const listening = app.server.address() as AddressInfo
  const shown = host === '0.0.0.0' || host === '127.0.0.1' ? 'localhost' : host.includes(':') ? `[${host}]` : host
  return {
    url: `http://${shown}:${listening.port}/admin`,
    async close() {
      await app.close()
    },
  }
}
