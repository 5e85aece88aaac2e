/** What the pages for operators work with: the use cases, who asks, and how a page or the answer to a form is sent. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Log } from '../../core/log.ts'
import { type Actor, allows, type OperatorRole } from '../../core/operator.ts'
import type { EditionAdministration } from '../../newsletter/administration/editions.ts'
import type { PaperAdministration } from '../../newsletter/administration/papers.ts'
import type { QueueAdministration } from '../../newsletter/administration/queue.ts'
import type { RouteAdministration } from '../../newsletter/administration/routes.ts'
import type { SetAsideAdministration } from '../../newsletter/administration/set-aside.ts'
import type { SourceAdministration } from '../../newsletter/administration/sources.ts'
import type { SubscriberAdministration } from '../../newsletter/administration/subscribers.ts'
import type { SuppressionAdministration } from '../../newsletter/administration/suppressions.ts'
import type { AnnouncementDesk } from '../../newsletter/announcements.ts'
import type { Audit } from '../../newsletter/audit.ts'
import type { ChartReader } from '../../newsletter/charts.ts'
import type { EventWebhooks } from '../../newsletter/event-webhooks.ts'
import type { Operators, SignedIn } from '../../newsletter/operators.ts'
import type { TodayReader } from '../../newsletter/today.ts'
import type { Pages } from '../site.ts'

/** Each subject adds its use cases here, made in `workers/roles/admin.ts`. */
export interface AdminSite {
  pages: Pages
  log: Log
  operators: Operators
  announcements: AnnouncementDesk
  today: TodayReader
  charts: ChartReader
  eventWebhooks: EventWebhooks
  audit: Audit
  editions: EditionAdministration
  subscribers: SubscriberAdministration
  suppressions: SuppressionAdministration
  setAside: SetAsideAdministration
  /** The domains at which the Message-IDs of digests and of letters end. */
  mailDomains: { digests: string; letters: string }
  papers: PaperAdministration
  sources: SourceAdministration
  routes: RouteAdministration
  queue: QueueAdministration
}

/** The pages in the order of the navigation; each subject adds its own. `role`: only operators who may are led there. */
const NAVIGATION: readonly { href: string; label: string; role?: OperatorRole }[] = [
  { href: '/admin', label: 'Today' },
  { href: '/admin/editions', label: 'Editions' },
  { href: '/admin/announcements', label: 'Announcements' },
  { href: '/admin/subscribers', label: 'Subscribers' },
  { href: '/admin/suppressions', label: 'Suppressions' },
  { href: '/admin/set-aside', label: 'Set aside' },
  { href: '/admin/papers', label: 'Papers' },
  { href: '/admin/curators', label: 'Curators' },
  { href: '/admin/sources', label: 'Sources' },
  { href: '/admin/routes', label: 'Routes' },
  { href: '/admin/queue', label: 'Queue' },
  { href: '/admin/charts', label: 'Charts' },
  { href: '/admin/webhooks', label: 'Webhooks', role: 'own' },
  { href: '/admin/operators', label: 'Operators', role: 'own' },
  { href: '/admin/audit', label: 'Record' },
]

/** Whether a subject has pages here, to which others may lead. */
export const hasPage = (path: string): boolean =>
  NAVIGATION.some(({ href }) => href !== '/admin' && (path === href || path.startsWith(`${href}/`)))

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What an operator’s role must allow at the least; left out, the route is open to whoever is not signed in. */
    role?: OperatorRole
  }
  interface FastifyRequest {
    /** Whose request it is; `null` only where the route has no `role`. */
    signedIn: SignedIn | null
  }
}

/** The configuration of a route that only operators with a role reach: `{ config: requireRole('act') }`. */
export const requireRole = (role: OperatorRole): { role: OperatorRole } => ({ role })

/** Who asks, on a route that has a role. */
export const operatorOf = ({ signedIn }: FastifyRequest): SignedIn => {
  if (signedIn === null) throw new Error('a route for operators has no role')
  return signedIn
}

/** Who acts, for the record of what was done. */
export const actorOf = (request: FastifyRequest): Actor => ({ byWhom: operatorOf(request).name, via: 'admin' })

/** The name of the field that every form carries: `<input type="hidden" name="csrf" value="{{ me.csrf }}">`. */
export const FORM_FIELD = 'csrf'

/** A form that is one button, or a button with what it is for; the hidden field of the session is taken out before. */
export const form = <T extends Parameters<typeof Type.Object>[0]>(fields: T) =>
  Type.Object(fields, { additionalProperties: false })

/** Any value of a field, or none: what it holds is read, and refused in words, by the use case. */
export const field = (description: string) => Type.Optional(Type.Unknown({ description }))

/** A field as text, without space around it; empty where it was left out, or sent twice. */
export const textOf = (value: unknown): string => (typeof value === 'string' ? value.trim() : '')

/** Sends a page of `templates/pages/admin/`, with the status that was set before. `view` has what its template names. */
export const showAdmin = (
  request: FastifyRequest,
  reply: FastifyReply,
  { pages }: Pick<AdminSite, 'pages'>,
  name: string,
  view: object,
): FastifyReply =>
  reply.type('text/html; charset=utf-8').send(pages.render(`admin/${name}`, { ...frameOf(request), ...view }))

/** What the layout shows around each page. */
const frameOf = ({ signedIn, routeOptions, url }: FastifyRequest) => {
  const path = url.replace(/\?.*$/, '')
  const under = (href: string) => path === href || (href !== '/admin' && path.startsWith(`${href}/`))
  return {
    me:
      signedIn === null
        ? null
        : {
            name: signedIn.name,
            role: signedIn.role,
            csrf: signedIn.csrf,
            /** Whether buttons that change something are shown, and those that concern operators. */
            mayAct: allows(signedIn.role, 'act'),
            mayOwn: allows(signedIn.role, 'own'),
          },
    message: signedIn?.message ?? null,
    navigation: NAVIGATION.filter(({ role }) => signedIn !== null && allows(signedIn.role, role ?? 'look')).map(
      (item) => ({ ...item, current: routeOptions.url !== undefined && under(item.href) }),
    ),
  }
}

/** Answers a form that was carried out: its page is asked for again, and says what was done. */
export const sendBack = async (
  request: FastifyRequest,
  reply: FastifyReply,
  { operators }: Pick<AdminSite, 'operators'>,
  path: string,
  message: string,
): Promise<FastifyReply> => {
  await operators.leaveMessage(operatorOf(request), message)
  return reply.redirect(path, 303)
}
