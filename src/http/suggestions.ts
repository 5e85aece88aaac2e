/** The form by which a reader suggests a paper. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { readNote } from '../core/papers/curation-note.ts'
import { ARXIV_ID } from '../core/papers/paper.ts'
import { readPaperReference } from '../core/papers/paper-reference.ts'
import type { FieldError } from '../core/subscriber/preferences.ts'
import type { SuggestResult } from '../newsletter/curation/suggestions.ts'
import { paperPath } from './archive/card-list.ts'
import { FORM_STAMP, HONEYPOT } from './form.ts'
import { keepForBack, makePublic } from './guard.ts'
import { BUDGET } from './request-budgets.ts'
import { type App, type PublicSite, sendProblem, show, wantsJson } from './site.ts'

const Prefilled = Type.Object({ paper: Type.Optional(Type.Unknown({ description: 'An arXiv id' })) })
const Suggested = Type.Object(
  {
    paper: Type.Optional(Type.Unknown({ description: 'An arXiv id, or an address at arXiv or Hugging Face' })),
    note: Type.Optional(Type.Unknown({ description: 'Why, for the curators' })),
    [HONEYPOT]: Type.Optional(Type.Unknown({ description: 'Left empty' })),
    [FORM_STAMP]: Type.Optional(Type.Unknown({ description: 'The stamp of a page’s form' })),
  },
  { additionalProperties: false },
)

/** Shown again of a text that is no paper. */
const MAX_SHOWN = 200

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

const ANSWERS: Record<SuggestResult, { status: number; heading: string; sentence: string }> = {
  stored: {
    status: 200,
    heading: 'Thank you',
    sentence: 'A curator will look at your suggestion. We keep nothing about you with it.',
  },
  held: { status: 409, heading: 'We have this paper', sentence: 'It is in the archive already.' },
  hidden: { status: 409, heading: 'Not this paper', sentence: 'A curator has taken this paper off the site.' },
  picked: {
    status: 409,
    heading: 'This paper is on its way',
    sentence: 'A curator has picked it already. It comes as soon as arXiv answers.',
  },
  waiting: {
    status: 409,
    heading: 'Somebody was first',
    sentence: 'This paper has been suggested already, and waits for a curator.',
  },
  declined: {
    status: 409,
    heading: 'Not this paper',
    sentence: 'It was suggested before, and a curator decided against it within the last 30 days.',
  },
  full: {
    status: 503,
    heading: 'Many suggestions wait',
    sentence: 'The curators have as many suggestions as they can read. Please try again in a few days.',
  },
  hasty: {
    status: 409,
    heading: 'Please send it once more',
    sentence: 'That was faster than people type, so nothing has been saved yet. Wait two seconds, then press Suggest.',
  },
}
/** Seconds until a suggestion may find room again. */
const RETRY_AFTER = 86_400

export const suggestionRoutes = (app: App, { suggestions, pages, baseUrl }: PublicSite): void => {
  const showForm = (
    reply: FastifyReply,
    typed: { paper: string; note: string },
    errors: FieldError[],
    notice: string | null = null,
  ): FastifyReply =>
    show(reply, pages, 'suggest', {
      canonical: `${baseUrl}/suggest`,
      form: { ...typed, errors: Object.fromEntries(errors.map(({ field, problem }) => [field, problem])) },
      notice,
    })

  app.get('/suggest', { schema: { querystring: Prefilled } }, async (request, reply) => {
    const paper = textOf(request.query.paper).slice(0, MAX_SHOWN)
    return showForm(makePublic(reply), { paper, note: '' }, [])
  })

  const config = { perMinute: BUDGET.suggestion }
  app.post('/suggest', { schema: { body: Suggested }, config }, async (request, reply) => {
    const { body } = request
    const typed = { paper: textOf(body.paper).slice(0, MAX_SHOWN), note: textOf(body.note) }
    const named = readPaperReference(textOf(body.paper))
    // Those that nobody holds are asked for at arXiv alone.
    const paperId = named !== null && ARXIV_ID.test(named) ? named : null
    const read = readNote(typed.note, null)
    const errors: FieldError[] = []
    if (paperId === null)
      errors.push({
        field: 'paper',
        problem: 'Give an arXiv id such as 2604.11784, or the address of a paper at arXiv or Hugging Face.',
        expected: 'an arXiv id',
      })
    if ('problem' in read) errors.push({ field: 'note', problem: read.problem, expected: 'at most 200 characters' })
    if (paperId === null || 'problem' in read) {
      if (wantsJson(request)) return sendProblem(reply, 422, 'Nothing has been saved', errors[0]?.problem ?? '', errors)
      return showForm(keepForBack(reply).code(422), typed, errors)
    }
    // What fills in every field is told what people are told.
    const isFilled = textOf(body[HONEYPOT]) !== ''
    const stamp = body[FORM_STAMP]
    const result = isFilled
      ? 'stored'
      : await suggestions.suggest({ paperId, note: read.note }, stamp === undefined ? undefined : textOf(stamp))
    if (result === 'hasty' && !wantsJson(request))
      return showForm(keepForBack(reply).code(409), typed, [], ANSWERS.hasty.sentence)
    return answer(request, reply, paperId, result)
  })

  const answer = (
    request: FastifyRequest,
    reply: FastifyReply,
    paperId: string,
    result: SuggestResult,
  ): FastifyReply => {
    const { status, heading, sentence } = ANSWERS[result]
    if (status === 503) reply.header('retry-after', RETRY_AFTER)
    if (wantsJson(request))
      return result === 'stored'
        ? reply.send({ status: 'stored', message: sentence })
        : sendProblem(reply, status, heading, sentence)
    return show(reply.code(status), pages, 'suggested', {
      heading,
      sentence,
      page: result === 'held' ? paperPath(paperId) : null,
    })
  }
}
