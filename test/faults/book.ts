/** The mail server's side: what it was told to do wrong, and a book of all it took, which is what the judge believes. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Fault, FaultContext, SinkOptions } from '../support/servers/smtp-sink.ts'
import type { SmtpFault, SmtpStage } from './plan.ts'

/** One message that the server took, whether its sender heard of it or not. */
export interface Copy {
  to: string
  /** The envelope sender. */
  from: string
  messageId: string
  /** The headers with their continuation lines, as they came. */
  raw: string
  recipients: number
  /** By `performance.now`: when its conversation began, and when it was taken. */
  begunAt: number
  takenAt: number
  /** Why its sender was not told, if the server itself kept it back. */
  unanswered: SmtpFault | null
}

/** A recipient whose turn came, whatever became of it. */
export interface Beginning {
  to: string
  /** By `performance.now`. */
  at: number
  /** By the stage's `elapsed`. */
  elapsed: number
}

const SLOW = 400

export const openBook = (elapsed: () => number) => {
  const copies: Copy[] = []
  const beginnings: Beginning[] = []
  /** Final refusals by recipient; those at MAIL name nobody. */
  const refused: string[] = []
  const injected = new Map<string, number>()
  let armed: { stage: SmtpStage; fault: SmtpFault; times: number }[] = []
  let pace = 0
  let reader: (copy: Copy) => void = () => undefined
  const begun = new Map<string, { at: number; elapsed: number }>()
  const newest = new Map<number, Copy>()

  const faultOf = async ({ stage, connection, message, to }: FaultContext): Promise<Fault | undefined> => {
    const place = `${connection}/${message}`
    if (stage === 'mail') begun.set(place, { at: performance.now(), elapsed: elapsed() })
    if (stage === 'rcpt')
      beginnings.push({ to, ...(begun.get(place) ?? { at: performance.now(), elapsed: elapsed() }) })
    if (stage === 'dot' && pace > 0) await delay(pace)
    const next = armed.find((one) => one.stage === stage && one.times > 0)
    if (next === undefined) return undefined
    next.times--
    const { fault } = next
    injected.set(`SMTP ${fault}`, (injected.get(`SMTP ${fault}`) ?? 0) + 1)
    if (fault === '5xx') refused.push(to)
    if (fault === 'slow') {
      await delay(SLOW)
      return undefined
    }
    const copy = stage === 'accepted' ? newest.get(connection) : undefined
    if (copy !== undefined) copy.unanswered = fault
    switch (fault) {
      // Servers repeat whom they speak of; that must not reach a log.
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

  const onMessage: SinkOptions['onMessage'] = ({ from, to, raw }, { connection, message, recipients }) => {
    const messageId = /^Message-ID: (\S+)\r$/im.exec(raw)?.[1] ?? ''
    const takenAt = performance.now()
    const begunAt = begun.get(`${connection}/${message}`)?.at ?? takenAt
    const copy: Copy = { to, from, messageId, raw, recipients, begunAt, takenAt, unanswered: null }
    copies.push(copy)
    newest.set(connection, copy)
    reader(copy)
  }

  return {
    /** For the sink. */
    sink: { fault: faultOf, onMessage },
    copies,
    beginnings,
    refused,
    /** How often each kind of fault took place. */
    injected,
    count(kind: string, times = 1) {
      injected.set(kind, (injected.get(kind) ?? 0) + times)
    },
    arm(stage: SmtpStage, fault: SmtpFault, times: number) {
      armed.push({ stage, fault, times })
    },
    disarm() {
      armed = []
    },
    setPace(ms: number) {
      pace = ms
    },
    /** Hears of every copy as it is taken. */
    read(by: (copy: Copy) => void) {
      reader = by
    },
    /** Forgets what was taken; faults stay counted. */
    turnPage() {
      copies.length = 0
      beginnings.length = 0
      refused.length = 0
      armed = []
      begun.clear()
      newest.clear()
    },
  }
}

export type Book = ReturnType<typeof openBook>

/** A message as its reader sees it: soft line breaks and encoded signs undone, as far as links need it. */
export const readable = (raw: string): string => raw.replaceAll('=\r\n', '').replaceAll('=3D', '=')

/** The values of a header, unfolded. */
export const headersOf = (raw: string, name: string): string[] => {
  const head = raw.slice(0, raw.indexOf('\r\n\r\n')).replace(/\r\n[ \t]+/g, ' ')
  const prefix = `${name.toLowerCase()}:`
  return head
    .split('\r\n')
    .filter((line) => line.toLowerCase().startsWith(prefix))
    .map((line) => line.slice(prefix.length).trim())
}

/** `letter` has no list it could be unsubscribed from. */
export const kindOf = (raw: string): 'letter' | 'welcome' | 'digest' => {
  const [feedback] = headersOf(raw, 'Feedback-ID')
  if (feedback === undefined) return 'letter'
  return feedback.split(':')[1] === 'welcome' ? 'welcome' : 'digest'
}
