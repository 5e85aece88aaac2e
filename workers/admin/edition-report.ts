/** Editions and their deliveries as text, for the operator. */
import type { MissedDelivery } from '../../src/newsletter/edition-control.ts'
import type { EditionAccount, EditionSummary } from '../../src/newsletter/editions.ts'
import { counted } from './arguments.ts'

export const equationText = ({
  due,
  sent,
  failed,
  skipped,
  pending,
  unknown,
  canceled,
  missing,
}: EditionSummary['equation']): string =>
  `due ${due} = sent ${sent} + failed ${failed} + skipped ${skipped} + pending ${pending} + unknown ${unknown} + ` +
  `canceled ${canceled}` +
  (missing === 0 ? '' : `  DOES NOT ADD UP: ${missing > 0 ? `${missing} missing` : `${-missing} too many`}`)

/** Who paused or canceled an edition, when and why: one line, or none. */
const decisionLines = ({ paused, canceled }: EditionSummary): string[] =>
  [
    { what: 'paused since', decision: paused },
    { what: 'canceled', decision: canceled },
  ].flatMap(({ what, decision }) =>
    decision === null
      ? []
      : [
          `${what} ${decision.at.toISOString()}${decision.by ? ` by ${decision.by}` : ''}${decision.why ? `: ${decision.why}` : ''}`,
        ],
  )

/** When it is through under the operator's caps: one line, or none. */
const expectedLines = ({ expectedAt }: EditionSummary): string[] =>
  expectedAt === null ? [] : [`expected to be sent by ${expectedAt.toISOString()}, by the caps (destinations list)`]

const summaryText = (edition: EditionSummary): string => {
  const { id, cutoff, status, equation } = edition
  return [
    `${String(id).padStart(6)}  ${cutoff.toISOString()}  ${status.padEnd(10)}  ${equationText(equation)}`,
    ...[...decisionLines(edition), ...expectedLines(edition)].map((line) => `        ${line}`),
  ].join('\n')
}

export const listText = (editions: EditionSummary[]): string =>
  editions.length === 0 ? 'There are no editions yet.' : editions.map(summaryText).join('\n')

/** What came back, by class, and the command that lists it. */
const returnedLine = ({ id, returned }: EditionAccount): string => {
  const { complaint, ...bounces } = returned
  const parts = Object.entries(bounces).flatMap(([kind, count]) => (count === 0 ? [] : [`${count} ${kind}`]))
  if (complaint > 0) parts.push(counted(complaint, 'complaint'))
  return `  came back  ${parts.join(', ')} (bounces list --edition ${id})`
}

export const accountText = (account: EditionAccount): string =>
  [
    `Edition ${account.id} of ${account.cutoff.toISOString()}: ${account.status}`,
    `  ${equationText(account.equation)}`,
    ...account.counts.map(
      ({ state, reason, count, resent }) =>
        `  ${String(count).padStart(9)}  ${state}${reason ? `: ${reason}` : ''}${resent > 0 ? ` (${resent} sent again)` : ''}`,
    ),
    `  begun      ${account.begunAt.toISOString()}`,
    `  published  ${account.publishedAt?.toISOString() ?? 'not completely yet'}`,
    `  completed  ${account.completedAt?.toISOString() ?? 'not yet'}`,
    ...decisionLines(account).map((line) => `  ${line}`),
    ...(account.expectedAt === null ? [] : [`  expected   ${account.expectedAt.toISOString()}, by the caps`]),
    ...(account.seconds === null ? [] : [`  took       ${account.seconds.toFixed(1)} s`]),
    ...(account.perSecond === null ? [] : [`  rate       ${account.perSecond.toFixed(1)} mails a second`]),
    `  resent     ${account.resent}`,
    ...(Object.values(account.returned).every((count) => count === 0) ? [] : [returnedLine(account)]),
  ].join('\n')

/** One delivery in a line: address, state, reason and the server's reply, separated by tabs. */
export const missedText = (row: MissedDelivery): string =>
  [row.email ?? '(erased)', row.state, reasonText(row), row.said ?? ''].join('\t')

/** Why a mail is in its state and, if it was put back in the queue, why it had failed before. */
export const reasonText = ({ reason, failedBefore }: { reason: string | null; failedBefore: string | null }): string =>
  [reason, failedBefore === null ? null : `failed before: ${failedBefore}`].filter((part) => part !== null).join('; ')

export const requeuedText = (result: { requeued: number; from: Record<string, number>; paused: boolean }): string => {
  const from = Object.entries(result.from).map(([state, count]) => `${count} ${state}`)
  return (
    `${counted(result.requeued, 'delivery', 'deliveries')} put back in the queue` +
    (from.length === 0 ? '.' : ` (${from.join(', ')}); those that are no longer wanted are skipped.`) +
    (result.paused && result.requeued > 0 ? ' The edition is paused: nothing is sent until editions resume.' : '')
  )
}
