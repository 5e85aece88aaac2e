/** The page of a curator: what they do to papers, by the link that was mailed to them. */

import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { readNote } from '../core/papers/curation-note.ts'
import { PAPER_ID, serverOf } from '../core/papers/paper.ts'
import { readPaperReference } from '../core/papers/paper-reference.ts'
import type { FieldError } from '../core/subscriber/preferences.ts'
import { isUuid } from '../core/uuid.ts'
import type { ActResult, CuratorAct, CuratorPage } from '../newsletter/curation/curations.ts'
import type { EndedLink } from '../newsletter/curation/curators.ts'
import { type Answer, answerTo, doneView, suggestionView } from './curation-view.ts'
import { sendErrorPage } from './errors.ts'
import { type App, type PublicSite, sendProblem, show, showDeadLink, wantsJson } from './site.ts'

const TokenParam = Type.Object({ token: Type.String() })
const From = Type.Object({ after: Type.Optional(Type.Unknown({ description: 'The id of the entry listed last' })) })
const Act = Type.Object(
  {
    act: Type.Optional(Type.Unknown({ description: 'pick, pin, hide, undo, accept or decline' })),
    paper: Type.Optional(Type.Unknown({ description: 'An arXiv id, or an address at arXiv or Hugging Face' })),
    note: Type.Optional(Type.Unknown({ description: 'Why; readers see it beside a pick' })),
    day: Type.Optional(Type.Unknown({ description: 'Of a pin: the list day, YYYY-MM-DD' })),
    id: Type.Optional(Type.Unknown({ description: 'Of an undo the entry’s id, of a decision the suggestion’s' })),
  },
  { additionalProperties: false },
)

const MISSING_NOTE = 'Say in a few words why. Readers see it beside your name.'
const MISSING_REASON = 'Say in a few words why, for the other curators.'

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** What was typed, to be shown again. */
export interface Typed {
  act: string
  paper: string
  note: string
  day: string
  id: string
}

const typedIn = (body: Readonly<Record<string, unknown>>): Typed => ({
  act: textOf(body.act),
  paper: textOf(body.paper),
  note: textOf(body.note),
  day: textOf(body.day),
  id: textOf(body.id),
})

/** A paper that somebody means: by its id or an address, also one of ours. */
const readPaper = (typed: string, baseUrl: string): string | null => {
  const text = typed.trim()
  const own = `${baseUrl}/papers/`
  const id = text.startsWith(own) ? decodeURI(text.slice(own.length)) : text
  return (
    readPaperReference(id) ??
    (PAPER_ID.test(id) && id.includes(':') && (serverOf(id) !== null || !id.includes('/')) ? id : null)
  )
}

/** What a form asks for, or what is wrong about its fields. */
const readAct = (typed: Typed, baseUrl: string): CuratorAct | FieldError[] => {
  const { act } = typed
  const errors: FieldError[] = []
  const refuse = (field: string, problem: string, expected: string) => errors.push({ field, problem, expected })
  const noteOf = (missing: string | null): string | null => {
    const read = readNote(typed.note, missing)
    if ('note' in read) return read.note
    refuse('note', read.problem, 'one line of at most 200 characters')
    return null
  }
  if (act === 'undo' || act === 'accept' || act === 'decline') {
    if (!isUuid(typed.id)) refuse('id', 'There is no such entry.', 'the id of an entry')
    const note = act === 'accept' ? noteOf(MISSING_NOTE) : null
    if (errors.length > 0) return errors
    if (act === 'undo') return { act, curationId: typed.id }
    return act === 'accept' ? { act, suggestionId: typed.id, note: note ?? '' } : { act, suggestionId: typed.id }
  }
  if (act !== 'pick' && act !== 'pin' && act !== 'hide') {
    refuse('act', 'Choose what to do.', 'pick, pin, hide, undo, accept or decline')
    return errors
  }
  const paperId = readPaper(typed.paper, baseUrl)
  if (paperId === null)
    refuse(
      'paper',
      'Give an arXiv id such as 2604.11784, or the address of a paper at arXiv or Hugging Face.',
      'a paper',
    )
  if (act === 'pin' && typed.day === '') refuse('day', 'Choose the day of the list.', 'YYYY-MM-DD')
  const note = noteOf(act === 'pick' ? MISSING_NOTE : act === 'hide' ? MISSING_REASON : null)
  if (errors.length > 0 || paperId === null) return errors
  if (act === 'pin') return { act, paperId, listDay: typed.day, note }
  return { act, paperId, note: note ?? '' }
}

const ENDED: Record<EndedLink, string> = {
  removed: 'You are not a curator here any more. What you did stays. To become one again, ask whoever runs this site.',
  replaced: 'A newer link was sent to you by email, and only that one works. Nothing has changed.',
}

/** The page of a link that names no curator, or none any more. */
const sendEnded = (
  site: PublicSite,
  request: FastifyRequest,
  reply: FastifyReply,
  ended: EndedLink | null,
): FastifyReply =>
  ended === null
    ? showDeadLink(reply, site.pages)
    : sendErrorPage(request, reply, site, {
        status: 410,
        heading: 'This link no longer works',
        sentence: ENDED[ended],
      })

const NOTHING: Typed = { act: '', paper: '', note: '', day: '', id: '' }

const viewOf = (token: string, page: CuratorPage, typed: Typed, errors: FieldError[], answer: Answer | null) => {
  const errorsOf = (act: string) =>
    typed.act === act ? Object.fromEntries(errors.map(({ field, problem }) => [field, problem])) : {}
  const form = (act: string, day = '') => ({
    ...(typed.act === act && errors.length > 0 ? typed : { ...NOTHING, day }),
    errors: errorsOf(act),
  })
  return {
    token,
    name: page.name,
    answer:
      answer ??
      (errors.length > 0 ? { isRefused: true, sentence: `Nothing has changed. ${errors[0]?.problem}` } : null),
    pick: form('pick'),
    pin: form('pin', page.newestDay),
    hide: form('hide'),
    suggestions: page.suggestions.map((one) => suggestionView(one, typed.id === one.id ? form('accept') : form(''))),
    waiting: page.waiting,
    done: page.done.map(doneView),
    older: page.older === null ? null : `/curate/${token}?after=${page.older}#done`,
  }
}

export const curationRoutes = (app: App, site: PublicSite): void => {
  const { curations, pages, baseUrl } = site

  app.get('/curate/:token', { schema: { params: TokenParam, querystring: From } }, async (request, reply) => {
    const { token } = request.params
    const after = textOf(request.query.after)
    const page = await curations.readPage(token, isUuid(after) ? after : null)
    if (page === null || typeof page === 'string') return sendEnded(site, request, reply, page)
    return show(reply, pages, 'curate', viewOf(token, page, NOTHING, [], null))
  })

  app.post('/curate/:token', { schema: { params: TokenParam, body: Act } }, async (request, reply) => {
    const { token } = request.params
    const typed = typedIn(request.body)
    const asked = readAct(typed, baseUrl)
    const result = Array.isArray(asked) ? null : await curations.act(token, asked)
    if (!Array.isArray(asked) && (result === null || typeof result === 'string'))
      return sendEnded(site, request, reply, result)
    const page = await curations.readPage(token, null)
    if (page === null || typeof page === 'string') return sendEnded(site, request, reply, page)
    if (Array.isArray(asked)) return refuse(request, reply, token, page, typed, asked)
    const answer = answerTo(asked, result as ActResult)
    reply.code(answer.status)
    if (wantsJson(request))
      return answer.isRefused
        ? sendProblem(reply, answer.status, 'Nothing has changed', answer.sentence)
        : reply.send({ status: 'done', message: answer.sentence })
    const kept = answer.field === null ? [] : [{ field: answer.field, problem: answer.sentence, expected: '' }]
    return show(reply, pages, 'curate', viewOf(token, page, typed, kept, answer))
  })

  const refuse = (
    request: FastifyRequest,
    reply: FastifyReply,
    token: string,
    page: CuratorPage,
    typed: Typed,
    errors: FieldError[],
  ): FastifyReply =>
    wantsJson(request)
      ? sendProblem(reply, 422, 'Nothing has changed', errors[0]?.problem ?? '', errors)
      : show(reply.code(422), pages, 'curate', viewOf(token, page, typed, errors, null))
}
