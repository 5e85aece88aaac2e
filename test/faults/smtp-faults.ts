/** The mail server's side of a seed: what it was told to do wrong, and at which pace it works. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Fault, FaultContext, SinkOptions } from '../support/servers/smtp-sink.ts'
import type { History } from './history.ts'
import type { SmtpFault, SmtpStage } from './plan.ts'

/** How long a server that is told to be slow keeps its sender waiting, milliseconds. */
const SLOW = 400
const POLL = 10

export type SmtpFaults = ReturnType<typeof createSmtpFaults>

export const createSmtpFaults = (history: History) => {
  let armed: { stage: SmtpStage; fault: SmtpFault; times: number }[] = []
  let pace = 0
  /** Messages whose final dot has come and that are neither taken nor refused. */
  const undecided = new Set<string>()

  const takeFault = async (context: FaultContext): Promise<Fault | undefined> => {
    const { stage, connection, to } = context
    if (stage === 'dot' && pace > 0) await delay(pace)
    const next = armed.find((one) => one.stage === stage && one.times > 0)
    if (next === undefined) return undefined
    next.times--
    const { fault } = next
    history.count(`SMTP ${fault}`, `at ${stage}, ${to === '' ? 'nobody named' : to}`)
    if (fault === '5xx') history.noteRefused(to)
    if (fault === 'slow') {
      await delay(SLOW)
      return undefined
    }
    if (stage === 'accepted') history.noteUnanswered(connection, fault)
    return sinkFaultOf(fault, stage, to)
  }

  const fault: SinkOptions['fault'] = async (context) => {
    const { stage } = context
    if (stage === 'mail') history.noteMail(context)
    if (stage === 'rcpt') history.noteRecipient(context)
    if (stage !== 'dot') return takeFault(context)
    const place = `${context.connection}/${context.message}`
    undecided.add(place)
    const found = await takeFault(context)
    if (found !== undefined) undecided.delete(place)
    return found
  }
  const onMessage: SinkOptions['onMessage'] = (message, place) => {
    undecided.delete(`${place.connection}/${place.message}`)
    history.noteTaken(message, place)
  }

  return {
    /** For the sink. */
    sink: { fault, onMessage },
    /** The next `times` times that the server would reply at this stage. */
    arm(stage: SmtpStage, fault: SmtpFault, times: number) {
      armed.push({ stage, fault, times })
    },
    disarm() {
      armed = []
    },
    /** What the server takes its time for, for each message, milliseconds. */
    setPace(ms: number) {
      pace = ms
    },
    /**
     * Resolves when no message waits for the server's decision. One whose sender broke off meanwhile is taken all the
     * same, and belongs to the seed in which it was sent.
     */
    async settled(): Promise<void> {
      while (undecided.size > 0) await delay(POLL)
    },
  }
}

/** Servers repeat whom they speak of in their replies; that must not reach a log. */
const sinkFaultOf = (fault: Exclude<SmtpFault, 'slow'>, stage: FaultContext['stage'], to: string): Fault => {
  switch (fault) {
    case '4xx':
      return { reply: `451 4.3.0 Come back later for ${to}` }
    case '421':
      return { reply: `421 4.7.0 Too much for <${to}>` }
    case '5xx':
      return { reply: stage === 'rcpt' ? `550 5.1.1 <${to}> is nobody here` : `554 5.3.0 Not for ${to}` }
    case 'policy':
      return { reply: `550 5.7.1 What is meant for ${to} is not wanted here` }
    default:
      return fault
  }
}
