/** The papers of days, weeks, months and topics. */
import { Type } from 'typebox'
import { daysOfMonth, daysOfWeek, isDate } from '../../core/calendar.ts'
import { topicBySlug, topics } from '../../core/topics.ts'
import type { PeriodPage } from '../../newsletter/archive/days.ts'
import { sendNoDay } from '../archive/days.ts'
import { sendNoMonth, sendNoWeek } from '../archive/periods.ts'
import { NO_TOPIC } from '../archive/topics.ts'
import { sendErrorPage } from '../errors.ts'
import { BUDGET } from '../request-budgets.ts'
import type { App, PublicSite } from '../site.ts'
import { After, Day, LIST, listOf, Next, NO_PART, openTo, orNull, PROBLEMS, pageAt } from './schema.ts'

/** Days of a part of their list. */
const MOST_DAYS = 100

const DateParam = Type.Object({ date: Type.String({ description: 'A list day', examples: ['2026-04-15'] }) })
const WeekParam = Type.Object({ week: Type.String({ description: 'An ISO week', examples: ['2026-W16'] }) })
const MonthParam = Type.Object({ month: Type.String({ description: 'A month', examples: ['2026-04'] }) })
const TopicParam = Type.Object({ topic: Type.String({ description: 'The name of a topic', examples: ['agents'] }) })

const Days = Type.Object({ days: Type.Array(Day), next: Next }, { title: 'Days', description: 'A part of the days' })
const DayList = Type.Object({ date: Day, ...LIST }, { title: 'Papers of a day', description: 'A part of the day' })
const PERIOD = {
  first: Day,
  last: Day,
  days: Type.Array(Type.Object({ date: Day, papers: Type.Integer() }), {
    description: 'Its list days, oldest first, with how many papers each has',
  }),
  ...LIST,
}
const Before = orNull(Type.String(), 'null where the archive begins')
const Behind = orNull(Type.String(), 'null where it ends')
const WeekList = Type.Object(
  { week: Type.String(), weekBefore: Before, weekAfter: Behind, ...PERIOD },
  { title: 'Papers of a week', description: 'A part of the week' },
)
const MonthList = Type.Object(
  { month: Type.String(), monthBefore: Before, monthAfter: Behind, ...PERIOD },
  { title: 'Papers of a month', description: 'A part of the month' },
)
const Topics = Type.Object(
  {
    topics: Type.Array(
      Type.Object({
        slug: Type.String({ description: 'What programs call it; never changes' }),
        label: Type.String({ description: 'What readers call it' }),
        group: Type.String(),
      }),
    ),
  },
  { title: 'Topics', description: 'All topics' },
)
const TopicList = Type.Object(
  {
    slug: Type.String(),
    label: Type.String(),
    days: orNull(Type.Object({ first: Day, last: Day }), 'The list days looked at; null where none is held'),
    ...LIST,
  },
  { title: 'Papers of a topic', description: 'A part of the topic' },
)

export const listApi = (app: App, site: PublicSite): void => {
  dayApi(app, site)
  weekApi(app, site)
  monthApi(app, site)
  topicApi(app, site)
}

const dayApi = (app: App, site: PublicSite): void => {
  const { archive, baseUrl } = site
  const tags = ['Lists']
  app.get(
    '/api/v1/days',
    {
      config: openTo(),
      schema: {
        tags,
        operationId: 'listDays',
        summary: 'The days that have a list, newest first',
        querystring: After,
        response: { 200: Days, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { after = '' } = request.query
      if (after !== '' && !isDate(after)) return sendErrorPage(request, reply, site, NO_PART)
      const days = (await archive.readDays()).toReversed().filter((day) => after === '' || day < after)
      return { days: days.slice(0, MOST_DAYS), next: days.length > MOST_DAYS ? (days[MOST_DAYS - 1] ?? null) : null }
    },
  )
  app.get(
    '/api/v1/days/:date',
    {
      config: openTo(),
      schema: {
        tags,
        operationId: 'readDay',
        summary: 'The papers of a day, pinned first, then most upvoted',
        params: DateParam,
        querystring: After,
        response: { 200: DayList, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { date } = request.params
      const page = pageAt(request.query.after)
      if (page === null) return sendErrorPage(request, reply, site, NO_PART)
      if (!isDate(date)) return sendErrorPage(request, reply, site, NO_DATE)
      const day = await archive.readDay(date, page)
      return day === null ? sendNoDay(site, request, reply, date) : { date: day.listDay, ...listOf(day, baseUrl) }
    },
  )
}

const NO_DATE = { status: 404, heading: 'No such day', sentence: 'Write days as 2026-04-15.' }

const weekApi = (app: App, site: PublicSite): void => {
  app.get(
    '/api/v1/weeks/:week',
    {
      config: openTo(),
      schema: {
        tags: ['Lists'],
        operationId: 'readWeek',
        summary: 'The papers of a week, most upvoted first',
        params: WeekParam,
        querystring: After,
        response: { 200: WeekList, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { week } = request.params
      const page = pageAt(request.query.after)
      if (page === null) return sendErrorPage(request, reply, site, NO_PART)
      const found = daysOfWeek(week) === null ? null : await site.archive.readWeek(week, page)
      if (found === null) return sendNoWeek(site, request, reply, week)
      return { week, weekBefore: found.before, weekAfter: found.after, ...periodOf(found, site) }
    },
  )
}

const monthApi = (app: App, site: PublicSite): void => {
  app.get(
    '/api/v1/months/:month',
    {
      config: openTo(),
      schema: {
        tags: ['Lists'],
        operationId: 'readMonth',
        summary: 'The papers of a month, most upvoted first',
        params: MonthParam,
        querystring: After,
        response: { 200: MonthList, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { month } = request.params
      const page = pageAt(request.query.after)
      if (page === null) return sendErrorPage(request, reply, site, NO_PART)
      const found = daysOfMonth(month) === null ? null : await site.archive.readMonth(month, page)
      if (found === null) return sendNoMonth(site, request, reply, month)
      return { month, monthBefore: found.before, monthAfter: found.after, ...periodOf(found, site) }
    },
  )
}

const periodOf = (found: PeriodPage, { baseUrl }: PublicSite) => {
  const { first, last, days } = found
  return { first, last, days, ...listOf(found, baseUrl) }
}

const NO_SUCH_TOPIC = { ...NO_TOPIC, sentence: 'There is no topic of this name. All of them are at /api/v1/topics.' }

const topicApi = (app: App, site: PublicSite): void => {
  const tags = ['Topics']
  app.get(
    '/api/v1/topics',
    {
      config: openTo(BUDGET.page),
      schema: { tags, operationId: 'listTopics', summary: 'All topics', response: { 200: Topics, ...PROBLEMS } },
    },
    async () => ({
      topics: topics().groups.flatMap(({ label: group, topics: own }) =>
        own.map(({ slug, label }) => ({ slug, label, group })),
      ),
    }),
  )
  app.get(
    '/api/v1/topics/:topic',
    {
      config: openTo(),
      schema: {
        tags,
        operationId: 'readTopic',
        summary: 'The papers of a topic on the newest five list days, most upvoted first',
        params: TopicParam,
        querystring: After,
        response: { 200: TopicList, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const topic = topicBySlug(request.params.topic) ?? topics().byFormerSlug(request.params.topic)
      if (topic === undefined) return sendErrorPage(request, reply, site, NO_SUCH_TOPIC)
      const page = pageAt(request.query.after)
      if (page === null) return sendErrorPage(request, reply, site, NO_PART)
      const found = await site.archive.readTopic(topic.slug, page)
      return { slug: topic.slug, label: topic.label, days: found.days, ...listOf(found, site.baseUrl) }
    },
  )
}
