/** Forms as templates show them: blank, with what is stored, or with what was typed and the errors in it. */
import { Type } from 'typebox'
import {
  DIGEST_SIZES,
  type DigestSize,
  type FieldError,
  type Frequency,
  LEAST_PAPERS,
  type LeastPapers,
  namedTopics,
  type PreferenceDefaults,
  type Preferences,
  STANDARD,
  TRENDING,
  type WhenEmpty,
} from '../core/subscriber/preferences.ts'
import { readTimeZone, TIME_ZONES } from '../core/subscriber/time-zone.ts'
import { currentTopics, topics } from '../core/topics.ts'

/** A field that no reader sees and no browser fills in; programs that fill in every field give themselves away by it. */
export const HONEYPOT = 'subject'
/** A field that says when the form was shown. */
export const FORM_STAMP = 'shown'
/** A field that says, sealed, to which page of another site the reader goes back. */
export const BACK = 'back'
/** A field that says which address its writer was asked about and keeps. */
export const SURE = 'sure'

/** A form that is a button: whatever else a browser sends with it is dropped. */
export const BUTTON = Type.Object({}, { additionalProperties: false })

/**
 * A field of a form, a query or a JSON body. Whatever is sent in it is taken, since `core` reads it and says in words what is
 * wrong with every field at once; `sentAs` is the JSON Schema of what is right, for the document of the API.
 */
export const sent = (sentAs: object, description: string, example?: unknown) =>
  Type.Optional(Type.Unknown({ description, sentAs, ...(example === undefined ? {} : { examples: [example] }) }))

const TEXT = { type: 'string' }
const OF_TEXTS = { type: 'array', items: TEXT }

/** The first topic of the last groups: one that says what a topic is, whatever the topics are. */
const exampleTopics = (count: number): string[] =>
  topics()
    .groups.slice(-count)
    .flatMap(({ topics: [first] }) => first?.slug ?? [])

/** The name of one topic. Which there are is known when the document is written, and not when this is loaded. */
export const TOPIC_FIELD = sent(
  {
    type: 'string',
    get enum() {
      return topics().all.map(({ slug }) => slug)
    },
    get examples() {
      return exampleTopics(1)
    },
  },
  'The name of a topic',
)

/** The address, and what a form holds besides what a reader types, which a program may leave out. */
export const ADDRESSED = {
  email: sent({ type: 'string', format: 'email', maxLength: 254 }, 'One email address', 'ada@example.org'),
  [HONEYPOT]: sent(TEXT, 'Left empty'),
  [FORM_STAMP]: sent(TEXT, 'The stamp of a page’s form'),
  [BACK]: sent(TEXT, 'The page of another site that the form was on, sealed'),
  [SURE]: sent(TEXT, 'The address once more, where it was asked whether it is right'),
}

/** The fields of a form as they are sent. `readPreferences` reads them, so that every error is shown at once. */
export const CHOICES = {
  topics: sent(
    {
      anyOf: [OF_TEXTS, TEXT],
      get examples() {
        return [exampleTopics(2).join(',')]
      },
    },
    'Topic names, trending among them, an array or a comma list; left out, with no keywords and authors either: trending',
  ),
  keywords: sent({ anyOf: [OF_TEXTS, TEXT] }, 'Phrases of your own, at most 20, an array or one a line', 'Lean 4'),
  authors: sent({ anyOf: [OF_TEXTS, TEXT] }, 'Names of authors to follow, at most 20, likewise', 'Grace Hopper'),
  muted: sent({ anyOf: [OF_TEXTS, TEXT] }, 'Phrases that keep a paper away, at most 20, likewise', 'survey'),
  when_empty: sent(
    { type: 'string', enum: ['skip', 'send'] },
    'What to do when there is nothing new: skip or send',
    'skip',
  ),
  papers: sent(
    { enum: [...DIGEST_SIZES, 'usual'] },
    'The most papers of a digest: 3, 5, 10, 15 or usual, which is 10 daily and 15 weekly',
    5,
  ),
  least_papers: sent(
    { enum: [...LEAST_PAPERS], default: 1 },
    'The fewest papers of a daily digest: with fewer, they come with the next; 1, 2, 3 or 5',
    3,
  ),
  frequency: sent(
    { type: 'string', enum: ['daily', 'weekly'], default: 'daily' },
    'daily or weekly; daily where it is left out',
    'weekly',
  ),
  timezone: sent(TEXT, 'An IANA time zone such as Europe/London, else UTC', 'Europe/London'),
  hour: sent({ type: 'integer', minimum: 0, maximum: 23, default: 7 }, 'The hour to send at, 0 to 23', 7),
  weekday: sent(
    { type: 'integer', minimum: 1, maximum: 7, default: 6 },
    'The day of a weekly digest, 1 (Monday) to 7',
    6,
  ),
  at_once: sent(
    { enum: ['yes', 'no', true, false], default: 'no' },
    'Whether what is in the top 1 % of the month comes at once, and not with the weekly digest: yes or no',
    'yes',
  ),
}

/** A name as time zones have them, such as `America/Coyhaique`, also of one that we do not know. */
const ZONE_NAME = /^[A-Za-z_]{2,}(?:\/[A-Za-z0-9_+-]+){1,2}$/

/**
 * The body of a form or of JSON with a zone that can be read: UTC instead of one that a browser reports and nobody knows,
 * such as `Etc/Unknown`, or that is newer than our list. `unknownZone` is what it said. What a program sends that is no name
 * of a zone stays, and is refused.
 */
export const withKnownZone = <T extends Readonly<Record<string, unknown>>>(
  body: T,
  fromForm: boolean,
): { body: T; unknownZone: string | null } => {
  const { timezone } = body
  if (typeof timezone !== 'string' || timezone === '' || readTimeZone(timezone.trim()) !== null)
    return { body, unknownZone: null }
  return fromForm || ZONE_NAME.test(timezone)
    ? { body: { ...body, timezone: 'UTC' }, unknownZone: timezone }
    : { body, unknownZone: null }
}

/** What a form held besides the address, as hidden fields of the next one. */
export const carriedFields = (body: Readonly<Record<string, unknown>>): { name: string; value: string }[] =>
  [...Object.keys(CHOICES), HONEYPOT, FORM_STAMP, BACK].flatMap((name) =>
    [body[name]].flat().flatMap((value) => (typeof value === 'string' && value !== '' ? [{ name, value }] : [])),
  )

interface TopicChip {
  slug: string
  label: string
  chosen: boolean
}

export interface FormView {
  email: string
  /** The address that its writer was asked about; empty where there was no doubt. */
  sure: string
  /** The page of another site that the form was on, sealed; empty where it is one of ours. */
  back: string
  groups: {
    name: string
    topics: TopicChip[]
    chosen: number
    /** Whether the group is unfolded. */
    open: boolean
  }[]
  /** The topics that are ticked: those that stand first, and the rest, which the settings fold. */
  followed: { first: TopicChip[]; more: TopicChip[] }
  /** Whether what trends is ticked. */
  trending: boolean
  /** How many topics are ticked. */
  chosen: number
  /** One a line. */
  keywords: string
  authors: string
  muted: string
  /** Whether any of these three has content, or an error. */
  hasOwn: boolean
  whenEmpty: WhenEmpty
  papers: DigestSize | null
  leastPapers: LeastPapers
  atOnce: boolean
  frequency: Frequency | null
  hour: number
  weekday: number
  timezone: string
  /** How many papers a digest can be asked to have. */
  sizes: readonly DigestSize[]
  /** How many papers a daily digest can be asked to have at least. */
  leasts: readonly LeastPapers[]
  /** Whether the zone is missing from the list of the form. */
  unlistedZone: boolean
  /** Whether the choices are unfolded: something of them is chosen, or wrong. */
  choosing: boolean
  /** The sentence beside each field. */
  errors: Record<string, string>
  problems: FieldError[]
}

const LISTED_ZONES = new Set(['UTC', ...TIME_ZONES.flatMap((group) => group.zones.map((zone) => zone.name))])

/** More than these would push all else of the settings off a phone's second screen. */
const MOST_IN_SIGHT = 3
const FIRST_IN_SIGHT = 2

const OWN = ['keywords', 'authors', 'muted'] as const

const viewOf = (
  email: string,
  chosen: ReadonlySet<unknown>,
  rest: Pick<
    FormView,
    | 'keywords'
    | 'authors'
    | 'muted'
    | 'whenEmpty'
    | 'papers'
    | 'leastPapers'
    | 'atOnce'
    | 'frequency'
    | 'hour'
    | 'weekday'
    | 'timezone'
  >,
  problems: FieldError[] = [],
): FormView => {
  const groups = topics().groups.map(({ label, topics: own }, index) => {
    const shown = own.map((topic) => ({ slug: topic.slug, label: topic.label, chosen: chosen.has(topic.slug) }))
    const ticked = shown.filter((topic) => topic.chosen).length
    return { name: label, topics: shown, chosen: ticked, open: chosen.size === 0 ? index === 0 : ticked > 0 }
  })
  const followed = groups.flatMap((group) => group.topics.filter((topic) => topic.chosen))
  const inSight = followed.length > MOST_IN_SIGHT ? FIRST_IN_SIGHT : MOST_IN_SIGHT
  const hasOwn = OWN.some((field) => rest[field].trim() !== '' || problems.some((problem) => problem.field === field))
  return {
    email,
    sure: '',
    back: '',
    groups,
    followed: { first: followed.slice(0, inSight), more: followed.slice(inSight) },
    trending: chosen.has(TRENDING),
    chosen: groups.reduce((sum, group) => sum + group.chosen, 0),
    ...rest,
    sizes: DIGEST_SIZES,
    leasts: LEAST_PAPERS,
    hasOwn,
    choosing: hasOwn || chosen.size > 0 || problems.some(({ field }) => field !== 'email'),
    unlistedZone: !LISTED_ZONES.has(rest.timezone),
    errors: Object.fromEntries(problems.map(({ field, problem }) => [field, problem])),
    problems,
  }
}

/** The subscribe form before anything is typed; the zone is UTC until the browser or the reader changes it. */
export const blankForm = (): FormView =>
  viewOf('', new Set(), {
    ...STANDARD,
    keywords: '',
    authors: '',
    muted: '',
    timezone: STANDARD.timeZone,
  })

/** A form with preferences as they are stored. */
export const filledForm = (preferences: Preferences, problems: FieldError[] = []): FormView =>
  viewOf(
    '',
    new Set(namedTopics({ ...preferences, topics: currentTopics(preferences.topics).offered })),
    {
      ...preferences,
      keywords: preferences.keywords.join('\n'),
      authors: preferences.authors.join('\n'),
      muted: preferences.muted.join('\n'),
      timezone: preferences.timeZone,
    },
    problems,
  )

/** A list as it was sent, with every mistake. */
const typedList = (value: unknown, standing: readonly string[]): string => {
  if (typeof value === 'string') return value
  return (Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : standing).join('\n')
}

const typedTopics = (value: unknown): Set<unknown> =>
  new Set(
    [value].flat().flatMap((slugs) => (typeof slugs === 'string' ? slugs.split(',').map((one) => one.trim()) : [])),
  )

/** A form as it was sent, with the error beside each field. */
export const refusedForm = (
  typed: Readonly<Record<string, unknown>>,
  problems: FieldError[],
  standing: PreferenceDefaults = STANDARD,
): FormView => {
  const { topics, frequency, papers } = typed
  const number = (value: unknown, fallback: number) =>
    typeof value === 'string' && /^\d{1,2}$/.test(value) ? Number(value) : fallback
  const view = viewOf(
    typeof typed.email === 'string' ? typed.email : '',
    typedTopics(topics),
    {
      keywords: typedList(typed.keywords, standing.keywords),
      authors: typedList(typed.authors, standing.authors),
      muted: typedList(typed.muted, standing.muted),
      whenEmpty: typed.when_empty === 'skip' || typed.when_empty === 'send' ? typed.when_empty : standing.whenEmpty,
      papers:
        DIGEST_SIZES.find((size) => size === papers || String(size) === papers) ?? (papers ? null : standing.papers),
      leastPapers: LEAST_PAPERS.find((least) => String(least) === String(typed.least_papers)) ?? standing.leastPapers,
      atOnce: [true, 'yes', false, 'no'].includes(typed.at_once as string)
        ? typed.at_once === true || typed.at_once === 'yes'
        : standing.atOnce,
      frequency: frequency === 'daily' || frequency === 'weekly' ? frequency : frequency ? null : standing.frequency,
      hour: number(typed.hour, standing.hour),
      weekday: number(typed.weekday, standing.weekday),
      timezone: (typeof typed.timezone === 'string' ? readTimeZone(typed.timezone) : null) ?? 'UTC',
    },
    problems,
  )
  return { ...view, back: typeof typed[BACK] === 'string' ? typed[BACK] : '' }
}
