/** One paper by its id. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { PAPER_ID } from '../../core/papers/paper.ts'
import { readArxivId } from '../../core/papers/paper-row.ts'
import type { PaperPage } from '../../newsletter/archive/paper.ts'
import { paperPath } from '../archive/card-list.ts'
import { institutionPath } from '../archive/institutions.ts'
import { sendNoPaper } from '../archive/papers.ts'
import type { App, PublicSite } from '../site.ts'
import { PAPER_FIELDS, PaperSummary, paperOf } from './paper-summary.ts'
import { Counts, countsOf, Day, Instant, openTo, orNull, PROBLEMS } from './schema.ts'

const IdParam = Type.Object({
  paper: Type.String({ description: 'An arXiv id, or source:id', examples: ['2604.11784'] }),
})
/** Ids of before 2007, such as hep-ex/0307015. */
const OldIdParam = Type.Object({
  archive: Type.String({ description: 'Of an id of before 2007 what stands before the slash', examples: ['hep-ex'] }),
  number: Type.String({ description: 'And what stands behind it', examples: ['0307015'] }),
})

const PaperDetails = Type.Object(
  {
    ...PAPER_FIELDS,
    abstract: orNull(Type.String(), 'Whole where its licence allows; else null, and there is an excerpt'),
    authorNames: Type.Array(Type.String(), { description: 'All of them, in the paper’s order' }),
    authorSlugs: Type.Array(orNull(Type.String()), {
      description: 'What programs call them, likewise; null for a name without letters',
    }),
    institution: orNull(
      Type.Object({
        name: Type.String({ description: 'At Hugging Face' }),
        fullName: Type.String(),
        page: Type.String({ description: 'Its page here' }),
      }),
      'The organisation that the paper is linked to on Hugging Face; not every author need be part of it',
    ),
    topics: Type.Array(
      Type.Object({
        slug: Type.String(),
        label: Type.String(),
        why: Type.String({ description: 'The words found in it' }),
      }),
      { description: 'Best first' },
    ),
    rank: Type.String({ description: 'Among the papers of its day, such as 2nd of 26; may be empty' }),
    submitted: orNull(Day),
    firstSeenAt: Instant,
    listedOn: orNull(Day, 'Its first day on a list of Hugging Face'),
    digests: orNull(
      Type.Object({ count: Type.Integer(), first: Day, last: Day }),
      'In how many digests it was, and between which dates; null where in fewer than five',
    ),
    stars: orNull(Type.Integer(), 'Of its repository'),
    votes: orNull(Type.Integer(), 'Readers here who voted for it; null where fewer than five did'),
    counted: Counts,
    history: Type.Array(Type.Object({ at: Instant, upvotes: Type.Integer() }), {
      description: 'Upvotes as they were seen, the oldest first',
    }),
    news: Type.Array(
      Type.Object({
        kind: Type.String({ description: 'code, version, venue, upvotes or withdrawn' }),
        version: orNull(Type.Integer()),
        venue: orNull(Type.String(), 'Such as “accepted at ICML 2026”'),
        seenAt: Instant,
      }),
    ),
    withdrawn: Type.Boolean(),
    venue: orNull(Type.String(), 'Such as “accepted at ICML 2026” or “published in TMLR”'),
    similar: Type.Array(PaperSummary, { description: 'The likest first' }),
    sample: Type.Boolean({ description: 'Whether it is one of the samples that ship with the project' }),
  },
  { title: 'Paper in full', description: 'The paper' },
)

const detailsOf = (page: PaperPage, baseUrl: string) => ({
  ...paperOf(page.card, baseUrl),
  abstract: page.withdrawn ? null : page.abstract,
  authorNames: page.authors.map(({ name }) => name),
  authorSlugs: page.authors.map(({ slug }) => slug || null),
  institution:
    page.institution === null ? null : { ...page.institution, page: baseUrl + institutionPath(page.institution.name) },
  topics: page.topics,
  rank: page.rank,
  submitted: page.paper.publishedOn,
  firstSeenAt: page.firstSeenAt,
  listedOn: page.listedOn,
  digests: page.digests,
  stars: page.stars,
  votes: page.votes,
  counted: countsOf(page.counted),
  history: page.history.map(({ at, upvotes }) => ({ at, upvotes })),
  news: page.news,
  withdrawn: page.withdrawn,
  venue: page.venue,
  similar: page.similar.map((card) => paperOf(card, baseUrl)),
  sample: page.sample,
})

export const paperApi = (app: App, site: PublicSite): void => {
  const read = async (request: FastifyRequest, reply: FastifyReply, id: string) => {
    const known = PAPER_ID.test(id)
    const arxivId = known ? readArxivId(id) : null
    // A version, or the name of the archive, is not part of the address.
    if (arxivId !== null && arxivId !== id) return reply.redirect(`/api/v1${paperPath(arxivId)}`, 301)
    const page = known ? await site.archive.readPaper(id) : null
    return page === null ? sendNoPaper(site, request, reply, arxivId) : detailsOf(page, site.baseUrl)
  }
  const response = { 200: PaperDetails, ...PROBLEMS }
  const about = { tags: ['Papers'], response }
  app.get(
    '/api/v1/papers/:paper',
    { config: openTo(), schema: { ...about, operationId: 'readPaper', summary: 'A paper', params: IdParam } },
    (request, reply) => read(request, reply, request.params.paper),
  )
  app.get(
    '/api/v1/papers/:archive/:number',
    {
      config: openTo(),
      schema: {
        ...about,
        operationId: 'readOldPaper',
        summary: 'A paper with an id of before 2007',
        params: OldIdParam,
      },
    },
    (request, reply) => read(request, reply, `${request.params.archive}/${request.params.number}`),
  )
}
