/** What other sites show of ours: the page that writes the HTML for them, and the page that a form on them leads to. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { type FieldError, readNewPreferences } from '../core/subscriber/preferences.ts'
import { type Topic, topicBySlug, topics as topicsInUse } from '../core/topics.ts'
import { ADDRESSED, BACK, CHOICES, refusedForm, withKnownZone } from './form.ts'
import { keepForBack, makePublic, POLICY_WITH_FRAME } from './guard.ts'
import { BUDGET } from './request-budgets.ts'
import { MAX_RETURN, readReturn, returnFrom } from './return-address.ts'
import { type App, type PublicSite, sendProblem, show, wantsJson } from './site.ts'
import { readEmail } from './subscription.ts'
import { widgetPath } from './widget.ts'

const Query = Type.Object({
  topics: Type.Optional(Type.Unknown({ description: 'Topic names' })),
  page: Type.Optional(Type.Unknown({ description: 'The page of the other site that the form is to stand on' })),
})
/** The form as other sites have it; what else their pages add is dropped. */
const ForeignForm = Type.Object(
  {
    email: ADDRESSED.email,
    ...CHOICES,
    return: Type.Optional(Type.Unknown({ description: 'The page to go back to, of the site that the form is on' })),
  },
  { additionalProperties: false },
)

export const FORM_PATH = '/embed/subscribe'

export const embedRoutes = (app: App, site: PublicSite): void => {
  app.get(
    '/embed',
    { schema: { querystring: Query }, config: { perMinute: BUDGET.archive, kept: true } },
    async (request, reply) => {
      const read = readWish(request.query, site.baseUrl)
      if ('errors' in read && wantsJson(request))
        return sendProblem(reply, 400, 'No HTML', 'Some fields are not valid.', read.errors)
      const { errors, topics, page } = 'errors' in read ? { ...read, topics: [], page: '' } : { ...read, errors: [] }
      reply.header('content-security-policy', POLICY_WITH_FRAME)
      if (errors.length === 0) makePublic(reply)
      else reply.code(400)
      const form = refusedForm(request.query, errors)
      const shown = topics.length > 0 ? topics : topicsInUse().all.slice(0, 1)
      const typedPage = typeof request.query.page === 'string' ? request.query.page.slice(0, MAX_RETURN) : ''
      return show(reply, site.pages, 'embed', {
        here: '/embed',
        canonical: `${site.baseUrl}/embed`,
        form: { ...form, groups: form.groups.map((group) => ({ ...group, open: group.chosen > 0 })) },
        page: typedPage,
        made:
          errors.length > 0
            ? null
            : {
                form: formHtml(site, topics, page),
                frames: shown.map((topic) => frameHtml(site.baseUrl, topic)).join('\n'),
                // Without the address of the site: pages name themselves by path, and their policy allows no other.
                example: { path: widgetPath(shown[0]?.slug ?? ''), title: frameTitle(shown[0]?.label ?? '') },
                count: shown.length,
                isExample: topics.length === 0,
              },
      })
    },
  )

  // A browser that is sent back here by its history, or a person who opens the address of the form.
  app.get(FORM_PATH, async (_, reply) => reply.redirect('/#email', 303))

  app.post(FORM_PATH, { schema: { body: ForeignForm }, config: { anySite: true } }, (request, reply) =>
    showForeignForm(site, request, reply),
  )
}

type Fields = Readonly<Record<string, unknown>>

/**
 * Shows what was entered on another site in the form of ours, which alone subscribes: nothing is changed here, so that no
 * site can have its visitors sign others up without their noticing, and everybody reads what they agree to.
 */
const showForeignForm = async (
  { pages, baseUrl, subscriptions }: PublicSite,
  request: FastifyRequest<{ Body: Fields }>,
  reply: FastifyReply,
): Promise<FastifyReply> => {
  const { return: named, ...given } = withKnownZone(request.body, true).body
  if (wantsJson(request))
    return sendProblem(reply, 400, 'Not subscribed', 'This address is for forms. Programs post to /api/v1/subscribe.')
  const filled = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== ''))
  const email = readEmail(filled.email)
  const read = readNewPreferences(filled)
  // Whoever left the address out can enter it here: that is no mistake yet.
  const errors = [
    'error' in email && filled.email !== undefined ? [email.error] : [],
    'errors' in read ? read.errors : [],
  ].flat()
  const returnTo = returnFrom(named, request.headers.origin, baseUrl)
  const back = returnTo === '' ? '' : subscriptions.sealAddress({ email: '', returnTo })
  const form = refusedForm({ ...filled, [BACK]: back }, errors)
  keepForBack(reply)
  if (errors.length > 0) return show(reply.code(400), pages, 'subscribe', { form })
  return show(reply, pages, 'subscribe-here', { form, host: returnTo === '' ? '' : new URL(returnTo).host })
}

/** What the page is asked for, or what is wrong about it. */
const readWish = (
  query: Fields,
  baseUrl: string,
): { topics: readonly Topic[]; page: string } | { errors: FieldError[] } => {
  const read = readNewPreferences({ topics: query.topics })
  const { page: named = '' } = query
  const page = named === '' ? null : readReturn(named, baseUrl)
  const errors = 'errors' in read ? read.errors : []
  if (named !== '' && page === null)
    errors.push({
      field: 'page',
      problem: 'Enter an address that begins with https://, such as https://lab.example.org/reading.',
      expected: `one https address of at most ${MAX_RETURN} characters`,
    })
  if ('errors' in read || errors.length > 0) return { errors }
  return { topics: read.preferences.topics.flatMap((slug) => topicBySlug(slug) ?? []), page: page?.href ?? '' }
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const escapeHtml = (text: string): string => text.replace(/[&<>"]/g, (sign) => ENTITIES[sign] ?? sign)

/** A form in plain HTML, for a page of another site. */
const formHtml = (
  { baseUrl, serviceName }: Pick<PublicSite, 'baseUrl' | 'serviceName'>,
  topics: readonly Topic[],
  page: string,
): string => {
  const hidden = (name: string, value: string) => `  <input type="hidden" name="${name}" value="${escapeHtml(value)}">`
  const what = topics.length === 0 ? 'Trending research papers' : topics.map(({ label }) => label).join(', ')
  return [
    `<form action="${escapeHtml(baseUrl)}${FORM_PATH}" method="post">`,
    `  <p>${escapeHtml(what)}, by email from <a href="${escapeHtml(baseUrl)}/">${escapeHtml(serviceName)}</a>.</p>`,
    '  <p><label>Email <input type="email" name="email" autocomplete="email" required></label></p>',
    ...(topics.length === 0 ? [] : [hidden('topics', topics.map(({ slug }) => slug).join(','))]),
    ...(page === '' ? [] : [hidden('return', page)]),
    '  <p><button>Subscribe</button></p>',
    '</form>',
  ].join('\n')
}

const frameTitle = (label: string): string => `${label}: papers of the week`

/** A frame with the papers of a topic, likewise. */
const frameHtml = (baseUrl: string, { slug, label }: Topic): string =>
  `<iframe src="${escapeHtml(baseUrl)}${widgetPath(slug)}" title="${escapeHtml(frameTitle(label))}" width="100%" height="640" style="border: 0" loading="lazy"></iframe>`
