/** What the pages about editions show. */
import type { MailState } from '../../core/sending/ledger.ts'
import type {
  CancellationResult,
  EditionDetails,
  EditionSummary,
  MissedDelivery,
  MissedPlace,
} from '../../newsletter/administration/editions.ts'
import { CLASS_WORDS, count, counted, momentOf, STATE_WORDS } from './words.ts'

/** The states in which a delivery is listed with its reader. */
export const MISSED_STATES = ['deferred', 'failed', 'skipped', 'unknown'] as const satisfies readonly MailState[]

const STATUS_WORDS: Record<EditionSummary['status'], string> = {
  publishing: 'is being published',
  sending: 'is being sent',
  paused: 'paused',
  canceled: 'canceled',
  complete: 'complete',
  broken: 'does not add up',
}

/** The parts of an equation in its order, those of 0 left out but for what was sent. */
const partsOf = (equation: EditionSummary['equation']) =>
  (['sent', 'failed', 'skipped', 'pending', 'unknown', 'canceled'] as const)
    .filter((part) => part === 'sent' || equation[part] > 0)
    .map((part) => ({ part, count: count(equation[part]) }))

export const equationOf = (equation: EditionSummary['equation']) => ({
  due: count(equation.due),
  parts: partsOf(equation),
  missing: equation.missing === 0 ? null : missingWords(equation.missing),
})

const missingWords = (missing: number): string =>
  missing > 0
    ? `${counted(missing, 'delivery is', 'deliveries are')} missing.`
    : `There are ${counted(-missing, 'delivery', 'deliveries')} too many.`

export const summaryView = (edition: EditionSummary) => ({
  id: edition.id,
  cutoff: momentOf(edition.cutoff),
  status: edition.status,
  statusWords: STATUS_WORDS[edition.status],
  equation: equationOf(edition.equation),
})

const decisionOf = (decision: EditionSummary['paused']) =>
  decision === null ? null : { at: momentOf(decision.at), by: decision.by, why: decision.why }

/** `2 min 5 s` */
const durationOf = (seconds: number | null): string | null => {
  if (seconds === null) return null
  if (seconds < 60) return `${seconds.toFixed(1)} s`
  const minutes = Math.floor(seconds / 60)
  return minutes < 60
    ? `${minutes} min ${Math.floor(seconds % 60)} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

const missedHref = (id: number, state: string, reason: string | null): string =>
  `/admin/editions/${id}/missed?${new URLSearchParams({ state, ...(reason === null ? {} : { reason }) })}`

/** The sentences that say the equation. */
const wordsOf = ({ equation }: EditionDetails): string => {
  const { due, sent, failed, skipped, pending, unknown, canceled } = equation
  const said = [
    [failed, `${counted(failed, 'was refused', 'were refused')} for good`],
    [skipped, counted(skipped, 'was skipped', 'were skipped')],
    [pending, counted(pending, 'waits', 'wait')],
    [unknown, `${count(unknown)} may or may not have arrived`],
    [canceled, `${counted(canceled, 'was', 'were')} called off`],
  ].flatMap(([number, words]) => (number === 0 ? [] : [words]))
  return `${counted(due, 'digest was', 'digests were')} due. ${count(sent)} ${sent === 1 ? 'was' : 'were'} taken by a mail server${said.length === 0 ? '' : `, ${said.join(', ')}`}.`
}

export const detailsView = (edition: EditionDetails) => {
  const { id, equation, returned, replies, feedback, status } = edition
  const isOpen = edition.completedAt === null && edition.canceled === null
  const { complaint, ...bounces } = returned
  return {
    ...summaryView(edition),
    words: wordsOf(edition),
    checked: edition.completedAt !== null && equation.missing === 0,
    counts: edition.counts.map(({ state, reason, count: number, resent }) => ({
      state,
      words: STATE_WORDS[state],
      reason,
      count: count(number),
      resent: resent === 0 ? null : count(resent),
      href:
        MISSED_STATES.some((one) => one === state) && number > 0
          ? missedHref(id, state, reason?.replace(/; failed before: .*/, '') ?? null)
          : null,
    })),
    begunAt: momentOf(edition.begunAt),
    publishedAt: momentOf(edition.publishedAt),
    completedAt: momentOf(edition.completedAt),
    expectedAt: momentOf(edition.expectedAt),
    paused: decisionOf(edition.paused),
    canceled: decisionOf(edition.canceled),
    took: durationOf(edition.seconds),
    rate: edition.perSecond === null ? null : edition.perSecond.toFixed(1),
    resent: edition.resent === 0 ? null : count(edition.resent),
    missed: equation.failed + equation.unknown + equation.skipped,
    missedCount: count(equation.failed + equation.unknown + equation.skipped),
    resendable: count(equation.failed + equation.unknown),
    canResend: edition.canceled === null && equation.failed + equation.unknown > 0,
    canRelease: edition.canceled === null && equation.unknown > 0 && equation.failed > 0,
    unknown: count(equation.unknown),
    canPause: isOpen && status !== 'paused',
    canResume: isOpen && status === 'paused',
    canCancel: isOpen,
    replies: replies.map((one) => ({
      ...one,
      code: `${one.code}${one.enhanced === null ? '' : ` ${one.enhanced}`}`,
      count: count(one.count),
    })),
    returned: [
      ...Object.entries(bounces).flatMap(([kind, number]) => (number === 0 ? [] : [`${count(number)} ${kind}`])),
      ...(complaint === 0 ? [] : [counted(complaint, 'complaint')]),
    ],
    hasHard: returned.hard + returned.soft > 0 || equation.failed > 0,
    feedback: feedback.map(({ at, ...one }) => ({
      ...one,
      at: momentOf(at),
      words: one.kind === 'complaint' ? CLASS_WORDS.complaint : `bounced${one.class === null ? '' : ` (${one.class})`}`,
    })),
  }
}

/** Why it is in its state: what its server said stands beside it, and is not said twice. */
const reasonOf = ({ reason, said, failedBefore }: MissedDelivery): string =>
  [
    reason !== null && said !== null ? reason.replace(`: ${said}`, '') : reason,
    failedBefore === null ? null : `failed before: ${failedBefore}`,
  ]
    .filter((part) => part !== null)
    .join('; ')

export const missedView = (
  edition: EditionDetails,
  which: { states: readonly MailState[]; reason: string | null },
  { rows, more }: { rows: MissedDelivery[]; more: MissedPlace | null },
) => {
  const { id, counts } = edition
  const query = { state: which.states.join(','), ...(which.reason === null ? {} : { reason: which.reason }) }
  const next = more === null ? null : new URLSearchParams({ ...query, after: `${more.state}.${more.id}` })
  return {
    id,
    cutoff: momentOf(edition.cutoff),
    states: MISSED_STATES.map((state) => ({ state, words: STATE_WORDS[state], chosen: which.states.includes(state) })),
    /** The one state that is chosen, or empty for those that missed it. */
    state: which.states.length === 1 ? which.states[0] : '',
    reason: which.reason ?? '',
    reasons: [
      ...new Set(
        counts.flatMap(({ state, reason }) =>
          reason !== null && which.states.includes(state) ? [reason.replace(/; failed before: .*/, '')] : [],
        ),
      ),
    ],
    rows: rows.map((row) => ({
      id: row.id,
      subscriber: row.subscriber,
      email: row.email,
      state: row.state,
      reason: reasonOf(row),
      said: row.said,
      attempts: row.attempts,
      attemptedAt: momentOf(row.attemptedAt),
      canResend: row.state !== 'deferred' && edition.canceled === null,
    })),
    next: next === null ? null : `/admin/editions/${id}/missed?${next}`,
    canResend:
      edition.canceled === null &&
      which.states.some((state) => state !== 'deferred') &&
      which.reason === null &&
      rows.length > 0,
    resendStates: which.states.filter((state) => state !== 'deferred').join(','),
  }
}

/** `3 failed and 1 unknown` */
const fromWords = (from: Partial<Record<MailState, number>>): string =>
  Object.entries(from)
    .map(([state, number]) => `${count(number)} ${state}`)
    .join(' and ')

export const resendView = (
  id: number,
  { states, subscriber }: { states: readonly MailState[]; subscriber: { id: string } | null },
  plan: { requeued: number; unwanted: number; from: Partial<Record<MailState, number>>; paused: boolean },
) => ({
  id,
  state: states.join(','),
  subscriber: subscriber?.id ?? null,
  none: plan.requeued === 0,
  readers: counted(plan.requeued, 'reader'),
  from: fromWords(plan.from),
  unwanted: plan.unwanted === 0 ? null : counted(plan.unwanted, 'of them gets', 'of them get'),
  unknown: plan.from.unknown === undefined ? null : counted(plan.from.unknown, 'reader'),
  paused: plan.paused,
})

export const cancellationView = (
  id: number,
  plan: CancellationResult | null,
  asked: { again: boolean; error: string | null },
) => ({
  id,
  ...asked,
  counted: plan !== null,
  lines:
    plan === null
      ? []
      : [
          [plan.canceled, counted(plan.canceled, 'delivery is called off', 'deliveries are called off')],
          [
            plan.beingSent,
            counted(
              plan.beingSent,
              'delivery is being sent, and is finished',
              'deliveries are being sent, and are finished',
            ),
          ],
          [
            plan.unknown,
            counted(
              plan.unknown,
              'delivery is unknown: an earlier copy may have arrived',
              'deliveries are unknown: an earlier copy may have arrived',
            ),
          ],
          [
            plan.returned,
            counted(
              plan.returned,
              'reader gets its papers with a later digest',
              'readers get its papers with a later digest',
            ),
          ],
          [
            plan.kept,
            counted(
              plan.kept,
              'reader does not get its papers: they had a later digest',
              'readers do not get its papers: they had a later digest',
            ),
          ],
          [plan.settled, counted(plan.settled, 'reader has the digest already', 'readers have the digest already')],
          [
            plan.notPublished,
            counted(
              plan.notPublished,
              'reader was due and not published yet',
              'readers were due and not published yet',
            ),
          ],
        ].flatMap(([number, words]) => (number === 0 ? [] : [words])),
  firstDue: momentOf(plan?.firstDue ?? null),
  lastDue: momentOf(plan?.lastDue ?? null),
})
