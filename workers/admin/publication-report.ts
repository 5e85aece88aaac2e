/** What publishing and canceling an edition did, or would do, as text for the operator. */
import { DAY, HOUR } from '../../src/core/calendar.ts'
import type { CancellationResult } from '../../src/newsletter/edition-cancellation.ts'
import type { EditionSummary } from '../../src/newsletter/editions.ts'
import type { PublicationPlan } from '../../src/newsletter/publishing/publication-plan.ts'
import type { Published as PublishedCounts } from '../../src/newsletter/publishing/publisher.ts'
import { counted } from './arguments.ts'
import { equationText } from './edition-report.ts'

export type Published = { dryRun: false; at: Date } & PublishedCounts
export type Planned = { dryRun: true } & PublicationPlan

/** How far ahead of the clock an instant lies: `365 days ahead`. */
export const aheadText = (at: Date, now: Date): string => {
  const ahead = at.getTime() - now.getTime()
  return ahead < 2 * DAY
    ? `${counted(Math.round(ahead / HOUR), 'hour')} ahead`
    : `${counted(Math.round(ahead / DAY), 'day')} ahead`
}

const rangeText = (from: Date, to: Date): string =>
  from.getTime() === to.getTime() ? `at ${from.toISOString()}` : `between ${from.toISOString()} and ${to.toISOString()}`

const planText = (plan: Planned): string => {
  const { at, now, readers, addresses, due, dueNext, fallOut, interrupted } = plan
  const total = readers.daily + readers.weekly
  const ahead = at > now ? `, ${aheadText(at, now)} of the clock (${now.toISOString()})` : ''
  const others = total - addresses.length
  return [
    `Dry run, nothing was published. An edition of ${at.toISOString()}${ahead}:`,
    ...(interrupted === null ? [] : [`  first      edition ${interrupted}, which was interrupted, is finished`]),
    ...(due === null || dueNext === null
      ? ['  readers    none is due']
      : [
          `  readers    ${total} (${readers.daily} daily, ${readers.weekly} weekly): ${addresses.join(', ')}` +
            (others > 0 ? ` and ${counted(others, 'other')}` : ''),
          `  due        ${rangeText(due.from, due.to)}`,
          `  due next   ${rangeText(dueNext.from, dueNext.to)}`,
          ...(fallOut === 0 ? [] : [`  fall out   about ${counted(fallOut, 'digest')} whose time lies in between`]),
        ]),
  ].join('\n')
}

export const publishText = (result: Published | Planned): string => {
  if (result.dryRun) return planText(result)
  const at = result.at.toISOString()
  if (result.subscribers === 0) return `Nobody was due by ${at}.`
  const deliveries = counted(result.owed, 'delivery', 'deliveries')
  return `Due by ${at}: ${counted(result.subscribers, 'subscriber')}, ${deliveries} of ${counted(result.digests, 'digest')}.`
}

export const cancelText = (
  result: CancellationResult & {
    edition: number
    dryRun: boolean
    again: boolean
    equation?: EditionSummary['equation'] | undefined
  },
): string => {
  const { edition, dryRun, again, equation, canceled, unknown, returned, kept, settled, notPublished } = result
  const { beingSent, firstDue, lastDue } = result
  const line = (count: number, text: string) => (count === 0 ? [] : [`  ${String(count).padStart(9)}  ${text}`])
  return [
    dryRun ? `Dry run, nothing was changed. If edition ${edition} were canceled:` : `Edition ${edition} is canceled:`,
    ...line(canceled, 'deliveries are called off'),
    ...line(unknown, 'deliveries are unknown: an earlier copy may have arrived'),
    ...line(beingSent, 'deliveries are being sent, and are finished'),
    ...line(returned, 'readers get its papers with a later digest'),
    ...line(kept, 'readers do not: they had a later digest, or what they had before is not known'),
    ...line(settled, 'readers have the digest, and do not wait for the time it was published for'),
    ...line(notPublished, 'readers were due and not published yet'),
    ...(firstDue === null || lastDue === null
      ? []
      : [`  due next   ${rangeText(firstDue, lastDue)}${again ? ' (--again: those that are past at once)' : ''}`]),
    ...(equation === undefined || dryRun ? [] : [`  ${equationText(equation)}`]),
  ].join('\n')
}
