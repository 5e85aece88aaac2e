/** What every route works with: the use cases, and how it sends a page or a problem. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest, RawServerDefault } from 'fastify'
import type { Log } from '../core/log.ts'
import type { OperatorRole } from '../core/operator.ts'
import type { TopicQuality } from '../core/relevance/model.ts'
import type { FieldError } from '../core/subscriber/preferences.ts'
import type { Retention } from '../core/subscriber/retention.ts'
import type { Archive } from '../newsletter/archive/archive.ts'
import type { ArchiveVersion } from '../newsletter/archive/archive-version.ts'
import type { Citations } from '../newsletter/citations.ts'
import type { Comparisons } from '../newsletter/comparison.ts'
import type { Curations } from '../newsletter/curation/curations.ts'
import type { Suggestions } from '../newsletter/curation/suggestions.ts'
import type { EditionReader } from '../newsletter/editions.ts'
import type { Explanations } from '../newsletter/explanation.ts'
import type { Webhooks } from '../newsletter/feedback/webhooks.ts'
import type { Feeds } from '../newsletter/feeds.ts'
import type { GroupChannels } from '../newsletter/group-channel.ts'
import type { Groups } from '../newsletter/groups.ts'
import type { Libraries } from '../newsletter/libraries.ts'
import type { Previews } from '../newsletter/publishing/preview.ts'
import type { ReadingLists } from '../newsletter/reading-list.ts'
import type { SavedPapers } from '../newsletter/saved-papers.ts'
import type { Accounts } from '../newsletter/subscription/accounts.ts'
import type { Origin, Subscriptions } from '../newsletter/subscription/subscription.ts'
import type { TasteProposals } from '../newsletter/taste-proposals.ts'
import type { Tastes } from '../newsletter/tastes.ts'
import type { Votes } from '../newsletter/votes.ts'

export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>

/** Pages by name, and the files that they refer to by a versioned URL (`?v=`). */
export interface Pages {
  render(name: string, view: object): string
  /** What stands in a rendered page where the stamp of its form goes. */
  formStamp: string
  assets: { href: string; type: string; content: string | Buffer; version: string }[]
}

/** Who runs this installation, and for how many days it keeps what. */
export interface PrivacyFacts {
  operator: string
  /** `null` where there is none, which production refuses. */
  postalAddress: string | null
  /** An email address. */
  contact: string
  retention: Retention
  /** Days that deliveries and letters are kept at least. */
  keepDeliveries: number
}

/** What stands on a picture that other sites show beside a link. */
export interface ShareCard {
  title: string
  /** Authors, or titles of papers. */
  text: string
  /** One line at its foot. */
  note: string
}

export interface Site {
  subscriptions: Subscriptions
  accounts: Accounts
  votes: Votes
  groups: Groups
  groupChannels: GroupChannels
  savedPapers: SavedPapers
  tastes: Tastes
  readingLists: ReadingLists
  proposals: TasteProposals
  archive: Archive
  archiveVersion: ArchiveVersion
  citations: Citations
  curations: Curations
  suggestions: Suggestions
  feeds: Feeds
  libraries: Libraries
  previews: Previews
  explanations: Explanations
  comparisons: Comparisons
  pages: Pages
  /** A picture as PNG, 1200 × 630 px. */
  drawShareImage: (card: ShareCard) => Promise<Buffer>
  /** Whether a domain takes email; `null` where that cannot be told in a moment. Left out where nobody is asked. */
  takesMail?: (domain: string) => Promise<boolean | null>
  /** Left out where no provider has a webhook. */
  webhooks?: Webhooks
  /** How well papers are chosen for each topic; left out, or empty, where it was not measured. */
  topicQuality?: readonly TopicQuality[]
  /** The name that readers know. */
  serviceName: string
  /** Whether the installation has an imprint, which is a page then. */
  hasImprint: boolean
  /** What the privacy page says. */
  privacy: PrivacyFacts
  log: Log
  /**
   * Resolves when everything that the process needs responds, rejects with what does not. `held`: why the service publishes
   * and sends nothing although it could.
   */
  ready: () => Promise<{ held?: string } | undefined>
  editions: EditionReader
  metrics: {
    contentType: string
    read(): Promise<string>
    countRequest(request: { method: string; status: number; seconds: number }): void
  }
  /** The role that a bearer token has, `null` for one that is nobody’s. Without operators there are no routes for them. */
  roleOfToken: ((token: string) => Promise<OperatorRole | null>) | null
}

/** What pages that anybody may find work with. */
export interface PublicSite extends Site {
  /** The address of the site without a slash at its end, for links that name it in whole. */
  baseUrl: string
}

/** The API is for programs alone, also where it has nothing, and says its limits with each answer; its page is for people. */
export const isApi = ({ url }: Pick<FastifyRequest, 'url'>): boolean =>
  /^\/api(?![^/?])/.test(url) && !/^\/api\/docs\/?(?![^?])/.test(url)

/** Whether the response should be JSON: it is the API’s, the body was, or the client accepts it and no page. */
export const wantsJson = (request: FastifyRequest): boolean => {
  if (isApi(request)) return true
  const accept = request.headers.accept ?? ''
  if (accept.includes('text/html')) return false
  return accept.includes('json') || (request.headers['content-type'] ?? '').includes('json')
}

/** Sends a page, with the status that was set before. */
export const show = (reply: FastifyReply, pages: Pages, name: string, view: object): FastifyReply =>
  reply.type('text/html; charset=utf-8').send(pages.render(name, view))

/**
 * The page of a dead link: the same for a token that is unknown, altered, of another purpose or replaced. Of a link
 * that works once, and was ours, it says that it has `ended`.
 */
export const showDeadLink = (reply: FastifyReply, pages: Pages, { ended = false } = {}): FastifyReply =>
  wantsJson(reply.request)
    ? sendProblem(reply, 404, 'Dead link', 'This link has expired, was replaced, or was not copied whole.')
    : show(reply.code(404), pages, 'dead-link', { form: { email: '', errors: {} }, ended })

/** Sends a problem (RFC 9457); `errors` names every field at once. */
export const sendProblem = (
  reply: FastifyReply,
  status: number,
  title: string,
  detail: string,
  errors?: FieldError[],
): FastifyReply =>
  reply
    .code(status)
    .type('application/problem+json')
    .send({ type: 'about:blank', title, status, detail, ...(errors === undefined ? {} : { errors }) })

/** Where a press of a link's page comes from, for the record of consent. */
export const linkOrigin = ({ ip, routeOptions }: FastifyRequest): Origin => ({
  ip,
  form: routeOptions.url ?? null,
  source: 'link',
})
