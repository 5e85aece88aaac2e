/** “Your last 30 days”: what the settings would have brought, as they are stored and as they are in the form. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { dateRange, longDate } from '../core/digest/headline.ts'
import { type Preferences, readPreferences } from '../core/subscriber/preferences.ts'
import { type Brought, type Comparison, DAYS_COMPARED } from '../newsletter/comparison.ts'
import { paperPath } from './archive/card-list.ts'
import { type Chart, chartOf } from './chart.ts'
import { carriedFields } from './form.ts'
import { keepForBack } from './guard.ts'
import { Choices, refuseChoices, seenRevision, showNotSubscribed } from './preferences.ts'
import { BUDGET } from './request-budgets.ts'
import { settingsApart } from './settings-summary.ts'
import { type App, type Site, sendProblem, show, showDeadLink, wantsJson } from './site.ts'

const TokenParam = Type.Object({ token: Type.String() })
type Asked = FastifyRequest<{ Params: { token: string } }>

const shortDate = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' })
const labelOf = (date: string): string => shortDate.format(new Date(`${date}T00:00:00Z`))

const NO_PAPERS = 'No papers are held yet, so there is nothing to compare.'

const SAVED = 'Saved now'
const TYPED = 'In your form'

/** The papers of each date with a digest due by either; a line breaks off where only the other had one due. */
const chartFor = ({ first, last, stored, typed }: Comparison): Chart | null => {
  const all = [stored, ...(typed === null ? [] : [typed])]
  const dates = [...new Set(all.flatMap(({ byDate }) => byDate.map(({ date }) => date)))].sort()
  if (dates.length < 2) return null
  const valuesOf = ({ byDate }: Brought) => {
    const known = new Map(byDate.map(({ date, papers }) => [date, papers]))
    return dates.map((date) => known.get(date) ?? null)
  }
  return chartOf({
    id: 'compared-chart',
    title: `Papers of each digest, ${dateRange(first, last)}`,
    kind: 'line',
    of: 'Date',
    points: dates.map((date) => ({ label: labelOf(date) })),
    series: all.map((one, at) => ({ name: at === 0 ? SAVED : TYPED, values: valuesOf(one) })),
  })
}

/** The rows of the table, each of what is stored and of what is typed. */
const rowsFor = ({ days, stored, typed }: Comparison): { name: string; cells: string[] }[] => {
  const all = [stored, ...(typed === null ? [] : [typed])]
  const row = (name: string, cellOf: (brought: Brought) => string) => ({ name, cells: all.map(cellOf) })
  return [
    row('Papers', ({ papers }) => String(papers)),
    row('Papers a day', ({ papers }) => (papers / days).toFixed(1)),
    row('Digests', ({ digests }) => String(digests)),
    row('Times without papers', ({ empty }) => String(empty)),
  ]
}

const listFor = ({ count, best }: Comparison['gained']) => ({
  count,
  more: count - best.length,
  papers: best.map((paper) => ({ ...paper, path: paperPath(paper.id), on: longDate(paper.date) })),
})

/** Over which days, and why they are fewer than 30 where they are. */
const spanInWords = ({ first, last, days }: Comparison): string =>
  days < DAYS_COMPARED
    ? `This is of ${days === 1 ? 'one day' : `${days} days`}, ${dateRange(first, last)}: we hold no papers from before.`
    : `This is of the last ${DAYS_COMPARED} days, ${dateRange(first, last)}.`

export const compareRoutes = (
  app: App,
  site: Pick<Site, 'subscriptions' | 'previews' | 'comparisons' | 'pages'>,
): void => {
  const { subscriptions, comparisons, pages } = site

  const answer = async (
    request: Asked,
    reply: FastifyReply,
    stored: Preferences,
    typed: { preferences: Preferences; body: Readonly<Record<string, unknown>> } | null,
  ) => {
    const { token } = request.params
    const apart = typed === null ? [] : settingsApart(stored, typed.preferences)
    const compared = await comparisons.compare(token, apart.length === 0 ? null : (typed?.preferences ?? null))
    if (compared === null) return showDeadLink(reply, pages)
    if (compared === 'not-subscribed') return showNotSubscribed(request, reply, site)
    if (compared === 'no-papers')
      return wantsJson(request)
        ? sendProblem(reply, 409, 'Nothing to compare', NO_PAPERS)
        : show(reply, pages, 'compare', { token, compared: null, problem: NO_PAPERS })
    if (wantsJson(request)) return compared
    return show(reply, pages, 'compare', {
      token,
      problem: null,
      compared: {
        span: spanInWords(compared),
        isChange: compared.typed !== null,
        isSame: typed !== null && compared.typed === null,
        apart,
        heads: [SAVED, ...(compared.typed === null ? [] : [TYPED])],
        rows: rowsFor(compared),
        chart: chartFor(compared),
        gained: listFor(compared.gained),
        lost: listFor(compared.lost),
        fields:
          compared.typed === null || typed === null
            ? []
            : [
                ...carriedFields(typed.body),
                ...[seenRevision(typed.body)].flatMap((value) => (value === null ? [] : [{ name: 'revision', value }])),
              ],
      },
    })
  }

  const url = '/preferences/:token/compare'
  const config = { perMinute: BUDGET.preview }
  app.get(url, { config, schema: { params: TokenParam } }, async (request, reply) => {
    const own = await subscriptions.readPreferences(request.params.token)
    if (own === null) return showDeadLink(reply, pages)
    return answer(request, reply, own.preferences, null)
  })

  /** It is a POST, as a look at a change is, so that no URL holds what was typed. Nothing is changed. */
  app.post(url, { config, schema: { params: TokenParam, body: Choices } }, async (request, reply) => {
    const { token } = request.params
    const { body } = request
    const own = await subscriptions.readPreferences(token)
    if (own === null) return showDeadLink(reply, pages)
    const read = readPreferences(body, own.preferences)
    if ('errors' in read) return refuseChoices(request, reply, site, token, own, read.errors)
    return answer(request, keepForBack(reply), own.preferences, { preferences: read.preferences, body })
  })
}
