/** Forms as templates show them: blank, with what is stored, or with what was typed and what is wrong with it. */
import {
  DEFAULT_HOUR,
  DEFAULT_WEEKDAY,
  type FieldError,
  type Frequency,
  type Preferences,
} from '../core/preferences.ts'
import { readTimeZone, TIME_ZONES } from '../core/time-zone.ts'
import { TOPIC_GROUPS } from '../core/topics.ts'

export interface FormView {
  email: string
  groups: {
    name: string
    topics: { slug: string; label: string; chosen: boolean }[]
    chosen: number
    /** Whether the group stands unfolded. */
    open: boolean
  }[]
  /** How many topics are ticked. */
  chosen: number
  frequency: Frequency | null
  hour: number
  weekday: number
  timezone: string
  /** True when the zone is none of those that the form lists. */
  unlistedZone: boolean
  /** The sentence beside each field. */
  errors: Record<string, string>
  problems: FieldError[]
}

const LISTED_ZONES = new Set(['UTC', ...TIME_ZONES.flatMap((group) => group.zones.map((zone) => zone.name))])

const viewOf = (
  email: string,
  chosen: ReadonlySet<unknown>,
  rest: Pick<FormView, 'frequency' | 'hour' | 'weekday' | 'timezone'>,
  problems: FieldError[] = [],
): FormView => {
  const groups = TOPIC_GROUPS.map(({ label, topics }, index) => {
    const shown = topics.map((topic) => ({ slug: topic.slug, label: topic.label, chosen: chosen.has(topic.slug) }))
    const ticked = shown.filter((topic) => topic.chosen).length
    return { name: label, topics: shown, chosen: ticked, open: chosen.size === 0 ? index === 0 : ticked > 0 }
  })
  return {
    email,
    groups,
    chosen: groups.reduce((sum, group) => sum + group.chosen, 0),
    ...rest,
    unlistedZone: !LISTED_ZONES.has(rest.timezone),
    errors: Object.fromEntries(problems.map(({ field, problem }) => [field, problem])),
    problems,
  }
}

/** The subscribe form before anything is typed; the zone is UTC until the browser or its reader says otherwise. */
export const blankForm = (): FormView =>
  viewOf('', new Set(), { frequency: 'daily', hour: DEFAULT_HOUR, weekday: DEFAULT_WEEKDAY, timezone: 'UTC' })

/** A form with the preferences that are stored. */
export const filledForm = (preferences: Preferences, problems: FieldError[] = []): FormView =>
  viewOf('', new Set(preferences.topics), { ...preferences, timezone: preferences.timeZone }, problems)

/** A form as it was sent, with what is wrong beside each field. */
export const refusedForm = (
  typed: Readonly<Record<string, unknown>>,
  problems: FieldError[],
  standing: Pick<Preferences, 'hour' | 'weekday'> = { hour: DEFAULT_HOUR, weekday: DEFAULT_WEEKDAY },
): FormView => {
  const { topics, frequency } = typed
  const number = (value: unknown, otherwise: number) =>
    typeof value === 'string' && /^\d{1,2}$/.test(value) ? Number(value) : otherwise
  return viewOf(
    typeof typed.email === 'string' ? typed.email : '',
    new Set(Array.isArray(topics) ? topics : [topics].filter((topic) => topic !== undefined)),
    {
      frequency: frequency === 'daily' || frequency === 'weekly' ? frequency : null,
      hour: number(typed.hour, standing.hour),
      weekday: number(typed.weekday, standing.weekday),
      timezone: (typeof typed.timezone === 'string' ? readTimeZone(typed.timezone) : null) ?? 'UTC',
    },
    problems,
  )
}
