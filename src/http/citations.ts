/** Citations for reference managers: of a paper, a day, a week and a digest, each as BibTeX, RIS and CSL-JSON. */
import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import { isDate } from '../core/calendar.ts'
import { bibtexOf } from '../core/papers/citation/bibtex.ts'
import type { CitedPaper } from '../core/papers/citation/citation.ts'
import { cslJsonOf } from '../core/papers/citation/csl-json.ts'
import { risOf } from '../core/papers/citation/ris.ts'
import { sendErrorPage } from './errors.ts'
import { makePublic } from './guard.ts'
import { sendRevalidated } from './revalidation.ts'
import { type App, type Site, showDeadLink } from './site.ts'

/** The formats by the ends of their file names. */
export const CITATION_FORMATS = {
  bib: { type: 'application/x-bibtex; charset=utf-8', write: bibtexOf },
  ris: { type: 'application/x-research-info-systems; charset=utf-8', write: risOf },
  'csl.json': { type: 'application/vnd.citationstyles.csl+json; charset=utf-8', write: cslJsonOf },
} as const satisfies Record<string, { type: string; write: (papers: readonly CitedPaper[]) => string }>
type Ending = keyof typeof CITATION_FORMATS

const NO_DAY = {
  status: 404,
  heading: 'No papers for this day',
  sentence: 'We have no papers for this day. There are none at weekends.',
}
const NO_PAPER = { status: 404, heading: 'No such paper', sentence: 'We have no paper with this id.' }
const NO_WEEK = {
  status: 404,
  heading: 'No papers for this week',
  sentence: 'We have no papers for this week. A week is written as 2026-W15.',
}
const sendCitations = (
  reply: FastifyReply,
  papers: readonly CitedPaper[],
  { name, ending }: { name: string; ending: Ending },
): FastifyReply => {
  const { type, write } = CITATION_FORMATS[ending]
  reply.type(type).header('content-disposition', `attachment; filename="${name.replace(/[^\w.-]+/g, '-')}.${ending}"`)
  return sendRevalidated(reply, write(papers))
}

const PaperParam = Type.Object({ paper: Type.String({ description: 'The id of a paper, or a list day' }) })
/** Ids of before 2007, such as hep-ex/0307015. */
const OldIdParam = Type.Object({ archive: Type.String(), number: Type.String() })
const WeekParam = Type.Object({ week: Type.String({ description: 'An ISO week, such as 2026-W15' }) })
const TokenParam = Type.Object({ token: Type.String() })

const citationRoutesOf = (app: App, site: Pick<Site, 'citations' | 'pages'>, ending: Ending): void => {
  const { citations, pages } = site

  app.get(`/papers/:paper.${ending}`, { schema: { params: PaperParam } }, async (request, reply) => {
    const { paper } = request.params
    const isDay = isDate(paper)
    const papers = await (isDay ? citations.readDay(paper) : citations.readPaper(paper))
    if (papers.length > 0)
      return sendCitations(makePublic(reply), papers, { name: isDay ? `papers-${paper}` : paper, ending })
    return sendErrorPage(request, reply, site, isDay ? NO_DAY : NO_PAPER)
  })

  app.get(`/papers/:archive/:number.${ending}`, { schema: { params: OldIdParam } }, async (request, reply) => {
    const id = `${request.params.archive}/${request.params.number}`
    const papers = await citations.readPaper(id)
    return papers.length === 0
      ? sendErrorPage(request, reply, site, NO_PAPER)
      : sendCitations(makePublic(reply), papers, { name: id, ending })
  })

  app.get(`/weeks/:week.${ending}`, { schema: { params: WeekParam } }, async (request, reply) => {
    const { week } = request.params
    const papers = await citations.readWeek(week)
    if (papers.length > 0) return sendCitations(makePublic(reply), papers, { name: `papers-${week}`, ending })
    return sendErrorPage(request, reply, site, NO_WEEK)
  })

  app.get(`/digests/:token.${ending}`, { schema: { params: TokenParam } }, async (request, reply) => {
    const digest = await citations.readDigest(request.params.token)
    if (digest === null) return showDeadLink(reply, pages)
    return sendCitations(reply, digest.papers, { name: `digest-${digest.localDate}`, ending })
  })
}

export const citationRoutes = (app: App, site: Pick<Site, 'citations' | 'pages'>): void => {
  for (const ending of Object.keys(CITATION_FORMATS) as Ending[]) citationRoutesOf(app, site, ending)
}
