/** `/admin/announcements`: writing one, looking at it, testing and sending it, and how each goes. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { type AnnouncementText, BODY_LENGTH, checkAnnouncement, SUBJECT_LENGTH } from '../../core/announcement.ts'
import { topicLabel } from '../../core/subscriber/followed.ts'
import { topics as topicSet } from '../../core/topics.ts'
import { type Announcement, MISSED, type Reach } from '../../newsletter/announcements.ts'
import type { App } from '../site.ts'
import { equationOf } from './edition-view.ts'
import { type AdminSite, actorOf, field, form, requireRole, sendBack, showAdmin, textOf } from './site.ts'
import { count, counted, momentOf, STATE_WORDS } from './words.ts'

const PATH = '/admin/announcements'
const LOOK = { config: requireRole('look') }
const IdParam = Type.Object({ id: Type.String() })
/** Of those who missed it so many are shown; the command lists all. */
const MOST_SHOWN = 100
/** The themes of a mail client, and what its media query becomes there. */
const THEMES: Record<string, string> = { light: '@media not all', dark: '@media all' }
/** A mail brings its styles along, and nothing else may act. */
const MAIL_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; sandbox"

const WRITTEN = {
  subject: field('The subject'),
  body: field('The text, in Markdown'),
  topics: field('The names of topics whose readers it is for; all readers without'),
  again: field('Any value: also to those who were sent the same text before'),
}

interface Written {
  subject: string
  body: string
  topics: string[]
  again: boolean
}

const EMPTY: Written = { subject: '', body: '', topics: [], again: false }

const writtenIn = (body: Readonly<Record<string, unknown>>): Written => ({
  subject: textOf(body.subject).slice(0, SUBJECT_LENGTH * 2),
  body: typeof body.body === 'string' ? body.body.slice(0, BODY_LENGTH * 2) : '',
  topics: [body.topics].flat().filter((slug): slug is string => topicSet().all.some((topic) => topic.slug === slug)),
  again: textOf(body.again) !== '',
})

const audienceOf = ({ topics, again }: Written) => ({ topics: topics.length === 0 ? null : topics, again })

const audienceWords = (topics: string[] | null): string =>
  topics === null ? 'all readers' : `readers of ${topics.map(topicLabel).join(', ')}`

/** Who does not get it, and why. */
const unreached = ({ hadIt, stopped, paused, pending, suppressed }: Reach): string[] =>
  [
    [hadIt, 'had the same text before'],
    [stopped, 'stopped announcements'],
    [paused, 'paused their digests'],
    [pending, 'have not confirmed yet'],
    [suppressed, 'may not be mailed'],
  ].flatMap(([number, why]) => (number === 0 ? [] : [`${count(Number(number))} ${why}`]))

interface PageState {
  problems?: string[]
  reviewed?: { reach: Reach; text: string } | null
  to?: string
}

/** The page on which one is written; with `reviewed` it says to how many it would go, and has the button that sends it. */
const showForm = (
  request: FastifyRequest,
  reply: FastifyReply,
  site: AdminSite,
  written: Written,
  { problems = [], reviewed = null, to = '' }: PageState = {},
): FastifyReply =>
  showAdmin(request, reply, site, 'announcement-new', {
    written,
    problems,
    to,
    most: { subject: SUBJECT_LENGTH, body: BODY_LENGTH },
    topics: topicSet().all.map(({ slug, label }) => ({ slug, label, chosen: written.topics.includes(slug) })),
    reviewed: reviewed && {
      text: reviewed.text,
      owed: reviewed.reach.owed,
      readers: counted(reviewed.reach.owed, 'reader'),
      audience: audienceWords(audienceOf(written).topics),
      unreached: unreached(reviewed.reach),
    },
  })

/** The text that was written, or the page again with what is wrong with it. */
const readWritten = (
  request: FastifyRequest<{ Body: Readonly<Record<string, unknown>> }>,
  reply: FastifyReply,
  site: AdminSite,
): { written: Written; text: AnnouncementText } | { refused: FastifyReply } => {
  const written = writtenIn(request.body)
  const checked = checkAnnouncement(written)
  if ('text' in checked) return { written, text: checked.text }
  const problems = checked.problems.map(({ line, problem }) => (line > 1 ? `Line ${line}: ${problem}` : problem))
  return { refused: showForm(request, reply.code(422), site, written, { problems }) }
}

const review = async (
  request: FastifyRequest,
  reply: FastifyReply,
  site: AdminSite,
  { written, text }: { written: Written; text: AnnouncementText },
  state: Omit<PageState, 'reviewed'> = {},
): Promise<FastifyReply> => {
  const audience = audienceOf(written)
  const reach = await site.announcements.reach({ text, ...audience })
  const mail = await site.announcements.render(text, audience.topics)
  return showForm(request, reply, site, written, { ...state, reviewed: { reach, text: mail.text } })
}

export const announcementRoutes = (app: App, site: AdminSite): void => {
  readRoutes(app, site)
  writeRoutes(app, site)
  sendRoutes(app, site)
  changeRoutes(app, site)
}

const summaryOf = ({ id, subject, topics, stage, sendAt, writtenBy, equation }: Announcement) => ({
  id,
  subject,
  audience: audienceWords(topics),
  stage,
  sendAt: momentOf(sendAt),
  writtenBy,
  due: count(equation.due),
  sent: count(equation.sent),
  pending: count(equation.pending),
})

const readRoutes = (app: App, site: AdminSite): void => {
  app.get(PATH, LOOK, async (request, reply) =>
    showAdmin(request, reply, site, 'announcements', { rows: (await site.announcements.list()).map(summaryOf) }),
  )

  app.get(`${PATH}/:id`, { ...LOOK, schema: { params: IdParam } }, async (request, reply) => {
    const found = await readById(site, request.params.id)
    return found === null ? reply.callNotFound() : showOne(request, reply, site, found)
  })
}

const readById = async ({ announcements }: AdminSite, id: string): Promise<Announcement | null> =>
  /^[1-9]\d{0,14}$/.test(id) ? announcements.read(Number(id)) : null

const showOne = async (
  request: FastifyRequest,
  reply: FastifyReply,
  site: AdminSite,
  found: Announcement,
  problem: string | null = null,
): Promise<FastifyReply> => {
  const { id, stage, equation, states, body, pausedAt, pausedBy, pausedWhy, canceledAt, canceledBy } = found
  const missed = await site.announcements.missed(id, MISSED)
  const again = equation.failed + equation.unknown
  const isOpen = stage === 'scheduled' || stage === 'sending' || stage === 'paused'
  return showAdmin(request, reply, site, 'announcement', {
    ...summaryOf(found),
    body,
    problem,
    paused: pausedAt && { at: momentOf(pausedAt), by: pausedBy, why: pausedWhy },
    canceled: canceledAt && { at: momentOf(canceledAt), by: canceledBy },
    equation: equationOf(equation),
    addsUp: equation.missing === 0,
    missing: count(equation.missing),
    states: states.map((one) => ({
      ...one,
      count: count(one.count),
      words: STATE_WORDS[one.state],
      resent: one.resent,
    })),
    missed: missed.slice(0, MOST_SHOWN).map(({ email, subscriber, state, reason, said }) => ({
      email,
      subscriber,
      state,
      reason,
      said,
    })),
    missedMore: missed.length > MOST_SHOWN,
    again: again === 0 || stage === 'canceled' ? null : counted(again, 'reader'),
    canPause: stage === 'sending' || stage === 'scheduled',
    canResume: stage === 'paused',
    canCancel: isOpen,
  })
}

const writeRoutes = (app: App, site: AdminSite): void => {
  app.get(`${PATH}/new`, { config: requireRole('act') }, (request, reply) => showForm(request, reply, site, EMPTY))

  app.post(
    `${PATH}/new`,
    { config: requireRole('act'), schema: { body: form({ ...WRITTEN, to: field('An address for a test') }) } },
    (request, reply) => {
      const read = readWritten(request, reply, site)
      return 'refused' in read ? read.refused : review(request, reply, site, read)
    },
  )

  /** The mail itself, as a page of its own with the styles of one theme. */
  app.post(
    `${PATH}/look`,
    {
      config: requireRole('act'),
      schema: { body: form({ ...WRITTEN, to: field('An address'), theme: field('light or dark') }) },
    },
    async (request, reply) => {
      const read = readWritten(request, reply, site)
      if ('refused' in read) return read.refused
      const { html } = await site.announcements.render(read.text, audienceOf(read.written).topics)
      const media = THEMES[textOf(request.body.theme)] ?? THEMES.light ?? ''
      return reply
        .header('content-security-policy', MAIL_POLICY)
        .type('text/html; charset=utf-8')
        .send(html.replaceAll('@media (prefers-color-scheme: dark)', media))
    },
  )
}

const sendRoutes = (app: App, site: AdminSite): void => {
  app.post(
    `${PATH}/test`,
    { config: requireRole('act'), schema: { body: form({ ...WRITTEN, to: field('An address') }) } },
    async (request, reply) => {
      const read = readWritten(request, reply, site)
      if ('refused' in read) return read.refused
      const to = textOf(request.body.to).slice(0, 320)
      const tested = await site.announcements.test(actorOf(request), read.text, to)
      if ('problem' in tested) return review(request, reply.code(422), site, read, { problems: [tested.problem], to })
      // The page again, and not another: what was typed is not stored anywhere.
      return review(request, reply, site, read, { problems: [`The test is on its way to ${to}.`], to })
    },
  )

  app.post(
    PATH,
    {
      config: requireRole('act'),
      schema: { body: form({ ...WRITTEN, to: field('An address'), readers: field('To how many, as the page said') }) },
    },
    async (request, reply) => {
      const read = readWritten(request, reply, site)
      if ('refused' in read) return read.refused
      const audience = audienceOf(read.written)
      const { owed } = await site.announcements.reach({ text: read.text, ...audience })
      if (textOf(request.body.readers) !== String(owed))
        return review(request, reply.code(422), site, read, {
          problems: [`It would go to ${counted(owed, 'reader')} now. Look at it again before you send it.`],
        })
      const sent = await site.announcements.send(actorOf(request), { text: read.text, ...audience, sendAt: null })
      if ('problem' in sent) return review(request, reply.code(422), site, read, { problems: [sent.problem] })
      return sendBack(request, reply, site, `${PATH}/${sent.id}`, `It is being sent to ${counted(owed, 'reader')}.`)
    },
  )
}

/** What an act on one came to: back to its page, which says so. */
const changeRoutes = (app: App, site: AdminSite): void => {
  const act = <T extends object>(
    name: string,
    fields: Parameters<typeof form>[0],
    run: (
      request: FastifyRequest,
      id: number,
      body: Readonly<Record<string, unknown>>,
    ) => Promise<T | { problem: string }>,
    words: (id: number, result: T) => string,
  ) =>
    app.post(
      `${PATH}/:id/${name}`,
      { config: requireRole('act'), schema: { params: IdParam, body: form(fields) } },
      async (request, reply) => {
        const found = await readById(site, request.params.id)
        if (found === null) return reply.callNotFound()
        const result = await run(request, found.id, request.body)
        if ('problem' in result) return showOne(request, reply.code(422), site, found, result.problem)
        return sendBack(request, reply, site, `${PATH}/${found.id}`, words(found.id, result))
      },
    )
  const { announcements } = site

  act(
    'pause',
    { why: field('Why') },
    (request, id, { why }) => announcements.pause(actorOf(request), id, textOf(why).slice(0, 500) || null),
    (id) => `Announcement ${id} is paused.`,
  )
  act(
    'resume',
    {},
    (request, id) => announcements.resume(actorOf(request), id),
    (id) => `Announcement ${id} goes on.`,
  )
  act(
    'cancel',
    { sure: field('Any value: yes') },
    async (request, id, { sure }) =>
      textOf(sure) === ''
        ? { problem: 'Tick the box to cancel it: that cannot be undone.' }
        : announcements.cancel(actorOf(request), id),
    (id) => `Announcement ${id} is canceled.`,
  )
  act(
    'resend',
    {},
    (request, id) => announcements.resend(actorOf(request), id, ['failed', 'unknown']),
    (_, { requeued }) => `Sent to ${counted(requeued, 'reader')} again.`,
  )
}
