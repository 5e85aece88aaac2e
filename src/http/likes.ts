/** The page “What you seem to like”: what digests learned from a reader, each line of which they can take out. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Taste, TasteLine } from '../newsletter/tastes.ts'
import { paperPath } from './archive/card-list.ts'
import { type App, type Site, sendProblem, show, showDeadLink, wantsJson } from './site.ts'

const TokenParam = Type.Object({ token: Type.String() })
const Change = Type.Object(
  {
    remove: Type.Optional(Type.Unknown({ description: 'A term of the taste that is to count no more' })),
    restore: Type.Optional(Type.Unknown({ description: 'A term that was removed and is to count again' })),
    forget: Type.Optional(Type.Unknown({ description: 'The id of a paper of which nothing is to be learned' })),
    use: Type.Optional(Type.Unknown({ description: 'yes or no: whether digests are ordered by it' })),
    reset: Type.Optional(Type.Unknown({ description: 'Any value forgets everything' })),
  },
  { additionalProperties: false },
)

/** So many lines are in sight; the others are folded away. */
const IN_SIGHT = { lines: 8, papers: 10 }
/** So many of each are in the sentence that the page begins with. */
const IN_SENTENCE = { more: 5, less: 3 }

const KINDS: Record<TasteLine['kind'], string> = { words: '', topic: 'topic', author: 'author' }

/** More authors than these that count alike are those of one paper, and say nothing of what its reader likes. */
const MOST_TELLING_AUTHORS = 2
/** An author counts alike with so large a share of what counts most. */
const TELLING_SHARE = 0.5

/**
 * The lines of one direction: those that say in a few words what a paper is about (pairs of words, topics, authors who stand
 * out), or single words where there are none, and the others, which by themselves say little.
 */
const linesOf = (
  all: readonly TasteLine[],
  direction: TasteLine['direction'],
): { telling: TasteLine[]; others: TasteLine[] } => {
  const lines = all.filter((line) => line.direction === direction)
  const authors = lines.filter(({ kind, share }) => kind === 'author' && share >= TELLING_SHARE)
  const standOut = new Set(authors.length > MOST_TELLING_AUTHORS ? [] : authors)
  const says = (line: TasteLine) =>
    line.kind === 'topic' || standOut.has(line) || (line.kind === 'words' && line.term.includes(' '))
  const words = lines.filter(({ kind }) => kind === 'words')
  const wordsOrAll = words.length > 0 ? words : lines
  const telling = lines.some(says) ? lines.filter(says) : wordsOrAll
  return { telling, others: lines.filter((line) => !telling.includes(line)) }
}

/** "You seem to like: masked diffusion, small models; less: benchmarks." Empty where nothing was learnt. */
const tasteInWords = (lines: readonly TasteLine[]): string => {
  const labels = (direction: TasteLine['direction']) =>
    linesOf(lines, direction)
      .telling.slice(0, IN_SENTENCE[direction])
      .map(({ label }) => label)
      .join(', ')
  const [more, less] = [labels('more'), labels('less')]
  if (more === '') return less === '' ? '' : `You seem to like less: ${less}.`
  return `You seem to like: ${more}${less === '' ? '' : `; less: ${less}`}.`
}

const folded = <T>(all: readonly T[], inSight: number): { first: readonly T[]; more: readonly T[] } => ({
  first: all.slice(0, inSight),
  more: all.slice(inSight),
})

const viewOf = (token: string, { on, lines, removed, presses }: Taste) => {
  return {
    token,
    on,
    begun: presses.length + removed.length > 0,
    sentence: tasteInWords(lines),
    groups: (['more', 'less'] as const).map((direction) => {
      const { telling, others } = linesOf(lines, direction)
      const { first, more } = folded(telling, IN_SIGHT.lines)
      const named = (some: readonly TasteLine[]) => some.map((line) => ({ ...line, kind: KINDS[line.kind] }))
      return {
        heading: direction === 'more' ? 'More of' : 'Less of',
        first: named(first),
        more: named([...more, ...others]),
      }
    }),
    removed,
    papers: folded(
      presses.map(({ id, title, direction, at }) => ({
        id,
        title,
        path: paperPath(id),
        said: direction === 'more' ? 'More like this' : 'Less like this',
        on: at.toISOString().slice(0, 10),
      })),
      IN_SIGHT.papers,
    ),
  }
}

const jsonOf = ({ on, lines, removed, presses }: Taste) => ({
  on,
  sentence: tasteInWords(lines),
  lines,
  removed,
  papers: presses,
})

type Change = { notice: string; taste: Taste | null }

export const likesRoutes = (app: App, { tastes, pages }: Pick<Site, 'tastes' | 'pages'>): void => {
  const answer = (
    request: FastifyRequest<{ Params: { token: string } }>,
    reply: FastifyReply,
    taste: Taste | null,
    notice: string | null = null,
  ): FastifyReply => {
    if (taste === null) return showDeadLink(reply, pages)
    if (wantsJson(request)) return reply.send({ ...(notice === null ? {} : { status: 'saved' }), ...jsonOf(taste) })
    return show(reply, pages, 'likes', { ...viewOf(request.params.token, taste), notice })
  }

  /** What a press asks for; `null` where it asks for nothing, or for something that cannot be. */
  const act = async (token: string, body: Readonly<Record<string, unknown>>): Promise<Change | null> => {
    const { remove, restore, forget, use, reset } = body
    if (typeof remove === 'string')
      return { notice: 'Removed. It won’t come back by itself.', taste: await tastes.removeTerm(token, remove) }
    if (typeof restore === 'string')
      return { notice: 'It counts again.', taste: await tastes.restoreTerm(token, restore) }
    if (typeof forget === 'string')
      return {
        notice: 'Taken back. Nothing is learned from that paper now.',
        taste: await tastes.forgetPress(token, forget),
      }
    if (use === 'yes') return { notice: 'Turned on.', taste: await tastes.turnOn(token) }
    if (use === 'no') return { notice: 'Turned off. Nothing was forgotten.', taste: await tastes.turnOff(token) }
    return reset === undefined ? null : { notice: 'Everything is forgotten.', taste: await tastes.reset(token) }
  }

  app.get('/preferences/:token/likes', { schema: { params: TokenParam } }, async (request, reply) =>
    answer(request, reply, await tastes.read(request.params.token)),
  )

  app.post('/preferences/:token/likes', { schema: { params: TokenParam, body: Change } }, async (request, reply) => {
    const { token } = request.params
    const change = await act(token, request.body)
    if (change !== null) return answer(request, reply, change.taste, change.notice)
    const taste = await tastes.read(token)
    if (taste === null || !wantsJson(request)) return answer(request, reply.code(400), taste, 'Nothing was changed.')
    const problem = 'Say what to change: remove, restore, forget, use (yes or no) or reset. Nothing was changed.'
    return sendProblem(reply, 400, 'Not changed', problem)
  })
}
