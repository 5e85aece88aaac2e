/** `/admin/papers`: papers found, all that is kept of one, and hiding it from readers. */
import { Type } from 'typebox'
import { longDate } from '../../core/digest/headline.ts'
import { GATE } from '../../core/relevance/gate.ts'
import { plainLatex, plainTitle } from '../../core/text/latex.ts'
import { topics } from '../../core/topics.ts'
import type { FoundPaper, PaperFile } from '../../newsletter/administration/papers.ts'
import type { App } from '../site.ts'
import { type AdminSite, actorOf, field, form, requireRole, sendBack, showAdmin, textOf } from './site.ts'
import { counted, momentOf, shortDateTime, sourceName } from './words.ts'

const PATH = '/admin/papers'
const Search = Type.Object({ q: Type.Optional(Type.Unknown()) })
const IdParam = Type.Object({ id: Type.String() })

export const paperHref = (id: string): string => `${PATH}/${encodeURIComponent(id)}`

const foundView = ({ id, title, listDay, source, hiddenAt }: FoundPaper) => ({
  id,
  href: paperHref(id),
  title: plainTitle(title),
  listDay: longDate(listDay),
  source: sourceName(source),
  hidden: hiddenAt !== null,
})

/** The score of a topic from 0 to 1, and whether it is enough to be listed there. */
const topicView = ({ topic, score, matches }: PaperFile['topics'][number]) => ({
  label: topics().bySlug(topic)?.label ?? topic,
  score: score.toFixed(2),
  listed: score >= GATE,
  matches: matches.map(({ words }) => words).join(', '),
})

const paperView = (paper: PaperFile) => ({
  ...foundView(paper),
  abstract: plainLatex(paper.abstract),
  authors: paper.authors.join(', '),
  publicHref: paper.hiddenAt === null ? paper.id : null,
  revision: paper.revision,
  facts: [
    { name: 'Source', value: sourceName(paper.source) },
    { name: 'List day', value: longDate(paper.listDay) },
    { name: 'First seen', value: shortDateTime(paper.firstSeenAt) },
    { name: 'News for digests from', value: shortDateTime(paper.eligibleAt) },
    ...(paper.listedOn === null ? [] : [{ name: 'Listed by Hugging Face on', value: longDate(paper.listedOn) }]),
    ...(paper.eligibleAgainAt === null
      ? []
      : [{ name: 'News once more from', value: shortDateTime(paper.eligibleAgainAt) }]),
    { name: 'Votes here', value: String(paper.votes) },
    { name: 'Texts', value: counted(paper.revision, 'version') },
  ],
  hides: [
    ...(paper.operatorHide === null
      ? []
      : [
          {
            by: `${paper.operatorHide.byWhom} (operator)`,
            reason: paper.operatorHide.reason,
            at: shortDateTime(paper.operatorHide.at),
          },
        ]),
    ...paper.inForce
      .filter(({ action }) => action === 'hide')
      .map(({ curator, note, at }) => ({ by: curator, reason: note ?? '', at: shortDateTime(at) })),
  ],
  picks: paper.inForce
    .filter(({ action }) => action !== 'hide')
    .map(({ action, curator, note, at, listDay }) => ({
      what: action === 'pick' ? 'Picked' : `Pinned to ${longDate(listDay ?? '')}`,
      by: curator,
      note,
      at: shortDateTime(at),
    })),
  topics: paper.topics.map(topicView),
  observations: paper.observations.map(({ at, upvotes, comments, stars }) => ({
    at: momentOf(at),
    upvotes: upvotes ?? '–',
    comments: comments ?? '–',
    stars: stars ?? '–',
  })),
  observed:
    paper.observed > paper.observations.length
      ? `${counted(paper.observed, 'observation')} are kept; these are the newest.`
      : `${counted(paper.observed, 'observation')} ${paper.observed === 1 ? 'is' : 'are'} kept.`,
  digests: paper.digests.map(({ date, count }) => ({ date: longDate(date), count })),
})

export const paperRoutes = (app: App, site: AdminSite): void => {
  app.get(PATH, { config: requireRole('look'), schema: { querystring: Search } }, async (request, reply) => {
    const q = textOf(request.query.q)
    const found = q === '' ? null : await site.papers.search(q)
    return showAdmin(request, reply, site, 'papers', {
      q,
      slow: found === 'slow',
      found: found === null || found === 'slow' ? null : found.map(foundView),
      hidden: (await site.papers.readHidden()).map(foundView),
    })
  })

  app.get(`${PATH}/:id`, { config: requireRole('look'), schema: { params: IdParam } }, async (request, reply) => {
    const paper = await site.papers.read(request.params.id)
    if (paper === undefined) return reply.callNotFound()
    return showAdmin(request, reply, site, 'paper', { paper: paperView(paper), typed: '', error: null })
  })

  app.post(
    `${PATH}/:id/hide`,
    { config: requireRole('act'), schema: { params: IdParam, body: form({ why: field('Why') }) } },
    async (request, reply) => {
      const { id } = request.params
      const typed = textOf(request.body.why)
      const result = await site.papers.hide(actorOf(request), id, typed)
      if ('problem' in result) {
        const paper = await site.papers.read(id)
        if (paper === undefined) return reply.callNotFound()
        const view = { paper: paperView(paper), typed, error: result.problem }
        return showAdmin(request, reply.code(422), site, 'paper', view)
      }
      const message =
        'The paper is hidden. Pages and lists are without it within a minute; mails that were composed keep it.'
      return sendBack(request, reply, site, paperHref(id), message)
    },
  )

  app.post(
    `${PATH}/:id/show`,
    { config: requireRole('act'), schema: { params: IdParam, body: form({}) } },
    async (request, reply) => {
      const { id } = request.params
      const result = await site.papers.show(actorOf(request), id)
      if ('problem' in result) {
        const paper = await site.papers.read(id)
        if (paper === undefined) return reply.callNotFound()
        return sendBack(request, reply, site, paperHref(id), result.problem)
      }
      return sendBack(request, reply, site, paperHref(id), 'The paper is shown again.')
    },
  )
}
