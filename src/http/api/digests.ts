/** A digest before one subscribes, and subscribing to it. */
import { Type } from 'typebox'
import { digestJsonOf } from '../../core/digest/digest-json.ts'
import { ADDRESSED, CHOICES, SURE, sent } from '../form.ts'
import { Choice, readChoice } from '../preview.ts'
import { BUDGET } from '../request-budgets.ts'
import { type App, type PublicSite, sendProblem } from '../site.ts'
import { CHECK_INBOX, createSignUp } from '../subscription.ts'
import { PAPER_FIELDS } from './paper-summary.ts'
import { Day, Instant, openTo, orNull, PROBLEMS } from './schema.ts'

const { id, title, url, reason, excerpt, authors, links, upvotes } = PAPER_FIELDS
const LinkedTitle = Type.Object({ title: Type.String(), url: orNull(Type.String()) })

const Digest = Type.Object(
  {
    kind: Type.String({ description: 'daily, weekly, at-once or welcome' }),
    date: Day,
    listDays: Type.Array(Day, { description: 'The days its papers were listed, oldest first' }),
    listed: orNull(Type.Integer(), 'Papers of those days in all'),
    cutoff: Instant,
    follows: Type.Array(Type.String(), { description: 'What it was chosen by, as readers call it' }),
    note: orNull(Type.String()),
    sample: Type.Boolean(),
    papers: Type.Array(
      Type.Object(
        {
          id,
          title,
          url,
          section: Type.String({ description: 'followed, also (in short) or trending (beyond what is followed)' }),
          topic: Type.Optional(Type.String({ description: 'Of a digest that is grouped by topics' })),
          reason,
          excerpt,
          authors,
          links,
          upvotes,
          seeAlso: Type.Array(LinkedTitle, { description: 'Papers that say nearly the same' }),
        },
        { title: 'Paper of a digest' },
      ),
    ),
    news: Type.Array(
      Type.Object({
        kind: Type.String({ description: 'withdrawn, venue, code, upvotes or version' }),
        title: Type.String(),
        url: orNull(Type.String()),
        line: Type.String(),
      }),
      { description: 'Of papers that were sent before, at most five, withdrawals first' },
    ),
  },
  { title: 'Digest', description: 'The digest' },
)

/** What programs send; the fields by which a form tells programs from people are not theirs. */
const SignUp = Type.Object(
  { email: ADDRESSED.email, [SURE]: ADDRESSED[SURE], ...CHOICES },
  { additionalProperties: false },
)
const Proof = Type.Object(
  { proof: sent({ type: 'string' }, 'The solved challenge, base64 of its JSON') },
  { additionalProperties: false },
)
const Taken = Type.Object(
  {
    status: Type.String({ description: 'check your inbox: the same whatever we know of the address' }),
    did_you_mean: Type.Optional(Type.String({ description: 'An address that is likelier; the one sent was taken' })),
    timezone: Type.Optional(Type.String()),
    note: Type.Optional(Type.String({ description: 'What was taken otherwise than it was sent' })),
    challenge: Type.Optional(
      Type.Object(
        {},
        {
          additionalProperties: true,
          description: 'Many requests come at the moment: solve this one of ALTCHA and post it to the proof, or wait',
        },
      ),
    ),
  },
  { title: 'Taken', description: 'It was taken' },
)

export const digestApi = (app: App, site: PublicSite): void => {
  const tags = ['Digests']
  app.get(
    '/api/v1/preview',
    {
      config: openTo(BUDGET.preview),
      schema: {
        tags,
        operationId: 'previewDigest',
        summary: 'The digest that a choice would bring today',
        querystring: Choice,
        response: { 200: Digest, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const read = readChoice(request.query)
      if ('errors' in read) return sendProblem(reply, 400, 'No preview', 'Some fields are not valid.', read.errors)
      const { cutoff, ...digest } = digestJsonOf(await site.previews.readDigest(read.preferences))
      return { ...digest, cutoff: new Date(cutoff) }
    },
  )
  const response = { 202: Taken, ...PROBLEMS }
  const subscribe = createSignUp(site)
  app.post(
    '/api/v1/subscribe',
    {
      schema: {
        tags,
        operationId: 'subscribe',
        summary: 'Asks for digests to an address',
        description:
          'Nothing is sent but one email with a link, which its reader confirms with. No browser may call it from another site.',
        body: SignUp,
        response,
      },
    },
    async (request, reply) => {
      await subscribe(request, reply)
      return reply
    },
  )
  app.post(
    '/api/v1/subscribe/proof',
    {
      schema: {
        tags,
        operationId: 'proveWork',
        summary: 'Proves the work that a challenge asked for',
        body: Proof,
        response,
      },
    },
    async (request, reply) => {
      const { proof } = request.body
      await site.subscriptions.proveWork(typeof proof === 'string' ? proof : '')
      return reply.code(202).send(CHECK_INBOX)
    },
  )
}
