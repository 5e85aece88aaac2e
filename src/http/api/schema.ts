/** What the schemas of the API share: instants, the parts of a list, and problems. */
import { type TSchema, Type } from 'typebox'
import type { CardList, Counted } from '../../newsletter/archive/card-list.ts'
import { BUDGET } from '../request-budgets.ts'
import { PaperSummary, paperOf } from './paper-summary.ts'

/** An instant as JSON has it; handlers answer with a `Date`. */
export const Instant = Type.Unsafe<Date>(Type.String({ format: 'date-time' }))
export const orNull = <T extends TSchema>(schema: T, description?: string) =>
  Type.Union([schema, Type.Null()], description === undefined ? {} : { description })

export const Day = Type.String({ format: 'date' })

export const Counts = orNull(
  Type.Object({
    at: Instant,
    hourKnown: Type.Boolean({ description: 'False where only the day is known' }),
  }),
  'When the newest of the upvotes were seen; null where there are none',
)
/** Without what a use case has besides. */
export const countsOf = (counted: Counted | null) =>
  counted === null ? null : { at: counted.at, hourKnown: counted.hourKnown }

const Problem = Type.Object(
  {
    type: Type.String({ description: 'Always about:blank' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String({ description: 'What is wrong, and what would be right' }),
    errors: Type.Optional(
      Type.Array(Type.Object({ field: Type.String(), problem: Type.String(), expected: Type.String() }), {
        description: 'Each field that is wrong',
      }),
    ),
  },
  { title: 'Problem' },
)
const answersProblem = (description: string) => ({
  description,
  content: { 'application/problem+json': { schema: Problem } },
})
/** What every operation may answer besides. Problems are those of RFC 9457. */
export const PROBLEMS = {
  '4xx': answersProblem('The request cannot be served: 429 when it is over the limit'),
  '5xx': answersProblem('A fault on our side; 503 with retry-after where it passes'),
}

export const After = Type.Object({
  after: Type.Optional(Type.String({ description: 'Where the part before ended: its “next”', examples: ['p2'] })),
})
export const Next = orNull(Type.String(), 'The “after” of the next part; null at the end')

/** The fields of every list of papers. */
export const LIST = {
  papers: Type.Array(PaperSummary),
  total: Type.Integer({ description: 'Papers of the whole list' }),
  counted: Counts,
  sample: Type.Boolean({ description: 'Whether these are the sample papers that ship with the project' }),
  next: Next,
}
export const listOf = (list: CardList, baseUrl: string) => ({
  papers: list.cards.map((card) => paperOf(card, baseUrl)),
  total: list.total,
  counted: countsOf(list.counted),
  sample: list.sample,
  next: list.page < list.pages ? `p${list.page + 1}` : null,
})

/**
 * The page of a list (from 1) at a cursor; `null` where it is none of ours. Lists are in the order of upvotes, which move:
 * no cursor could keep a paper from passing from one part to another between two requests.
 */
export const pageAt = (after: string | undefined): number | null => {
  if (after === undefined || after === '') return 1
  const [, page] = /^p([1-9]\d{0,5})$/.exec(after) ?? []
  return page === undefined ? null : Number(page)
}
export const NO_PART = {
  status: 400,
  heading: 'No such part',
  sentence: 'Send as “after” what the part before has as “next”, or leave it out for the first part.',
}

type Fields = { properties?: Record<string, { sentAs?: object }> }

/** A route’s schema for the document: of each field what is right to send (`sentAs`), where any value is taken. */
export const documented = <T>(schema: T): T => {
  const fieldsOf = (fields: unknown) => {
    const { properties, ...rest } = fields as Fields
    if (properties === undefined) return fields
    const told = Object.entries(properties).map(([name, { sentAs = {}, ...field }]) => [name, { ...field, ...sentAs }])
    return { ...rest, properties: Object.fromEntries(told) }
  }
  const parts = Object.entries((schema ?? {}) as object)
  return Object.fromEntries(
    parts.map(([part, fields]) => [part, part === 'querystring' || part === 'body' ? fieldsOf(fields) : fields]),
  ) as T
}

/** What scripts of any site may read, within a budget. */
export const openTo = (perMinute: number = BUDGET.archive) => ({ perMinute, crossOrigin: true })
