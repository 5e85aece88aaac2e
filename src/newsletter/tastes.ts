/** Tastes: what a reader asks for more or less of, and what was learnt from that, which they can read and change. */
import { DAY } from '../core/calendar.ts'
import { kindOfTerm, paperTerms, type TermKind, tellingLabels, termOfTopic } from '../core/taste/paper-terms.ts'
import { type Direction, learnTaste, type Press } from '../core/taste/taste.ts'
import type { Database } from '../store/database.ts'
import { readSubscriber } from '../store/subscribers.ts'
import {
  countPressesSince,
  deletePress,
  deleteTaste,
  type RemovedTerm,
  readPress,
  readPresses,
  readPressesOf,
  readTaste,
  type StoredTaste,
  storePress,
  storeTaste,
} from '../store/tastes.ts'
import { type LinkedPaper, type LinkRefusal, type PaperPress, pressPaperLink, readPaperLink } from './paper-links.ts'
import { findTokenOwner, type LinkPorts } from './subscription/token-owner.ts'
import { noteProposalOf } from './taste-proposals.ts'

/** Papers that one reader may say something of in 24 hours: more than a day's list has. */
const MOST_A_DAY = 200
/** So many of a reader's presses are learnt from, the newest. */
const MOST_LEARNT = 200

/**
 * What a press came to: it is `learnt` now, or `noted` where the reader turned their taste off, or was `known` before; it
 * was `taken back`, or there was `none`. Nothing is changed where they have said something of `too many` papers within a day.
 */
export type TasteOutcome = 'learnt' | 'noted' | 'known' | 'taken back' | 'none' | 'too many'
export type TastePress =
  /** `about`: what of the paper counts now, of what was just learnt or noted. */
  { outcome: TasteOutcome; paper: LinkedPaper; about?: string[] } | LinkRefusal

/** A term that a reader seems to like, or to want less of. */
export interface TasteLine {
  term: string
  kind: TermKind
  label: string
  direction: Direction
  /** How much it counts beside the weightiest, above 0 to 1. */
  share: number
}

/** A taste as its reader is shown it. */
export interface Taste {
  /** `false` before the first press, and where the reader turned it off. */
  on: boolean
  /** The weightiest first. */
  lines: TasteLine[]
  /** Terms that the reader took out. */
  removed: RemovedTerm[]
  /** What they said of papers, the newest first. */
  presses: { id: string; title: string; direction: Direction; at: Date }[]
  /** 0 before the first press; raised by each change. */
  revision: number
}

/**
 * Of links in mails (`vote` tokens) and of the reader's own pages (`preferences` tokens). `null` always means: that link is
 * unknown, altered, of another purpose or dead.
 */
export interface Tastes {
  /** What a link of a mail leads to. It tells nobody what its reader said before, for it may have been forwarded. */
  readPaper(token: string, paperId: string): Promise<{ outcome: 'open'; paper: LinkedPaper } | LinkRefusal | null>
  press(token: string, paperId: string, direction: Direction): Promise<TastePress | null>
  takeBack(token: string, paperId: string): Promise<TastePress | null>
  read(preferencesToken: string): Promise<Taste | null>
  /** Takes a term out, which does not come back by itself; one that the taste does not hold changes nothing. */
  removeTerm(preferencesToken: string, term: string): Promise<Taste | null>
  /** Lets a term that was taken out count again. */
  restoreTerm(preferencesToken: string, term: string): Promise<Taste | null>
  /** Takes back what was said of a paper; nothing where nothing was. */
  forgetPress(preferencesToken: string, paperId: string): Promise<Taste | null>
  /** Forgets everything, what was said of papers and what was taken out included: it is off until the next press. */
  reset(preferencesToken: string): Promise<Taste | null>
  turnOn(preferencesToken: string): Promise<Taste | null>
  turnOff(preferencesToken: string): Promise<Taste | null>
}

export const createTastes = (ports: LinkPorts): Tastes => {
  const change = (token: string, act: (trx: Database, reader: Reader) => Promise<void>) =>
    changeTaste(ports, token, act)
  return {
    readPaper: (token, paperId) => readPaperLink(ports, token, paperId),
    async press(token, paperId, direction) {
      let about: string[] | undefined
      const pressed = await pressPaperLink(ports, token, paperId, async (trx, press) => {
        const learnt = await learnFrom(trx, press, direction)
        about = learnt.about
        return learnt.outcome
      })
      return pressed === null || about === undefined ? pressed : { ...pressed, about }
    },
    takeBack: (token, paperId) => pressPaperLink(ports, token, paperId, unlearn),
    async read(token) {
      const owner = await findTokenOwner(ports.db, ports.keys, 'preferences', token)
      return owner === null ? null : describeTaste(ports.db, owner.id)
    },
    removeTerm: (token, term) =>
      change(token, async (trx, { id, taste, at }) => {
        const held = taste.weights.find((one) => one.term === term)
        if (held !== undefined)
          await relearn(trx, id, { ...taste, removed: [...taste.removed, { term, label: held.label }] }, at)
      }),
    restoreTerm: (token, term) =>
      change(token, async (trx, { id, taste, at }) => {
        const removed = taste.removed.filter((one) => one.term !== term)
        if (removed.length < taste.removed.length) await relearn(trx, id, { ...taste, removed }, at)
      }),
    forgetPress: (token, paperId) =>
      change(token, async (trx, { id, taste, at }) => {
        if (await deletePress(trx, id, paperId)) await relearn(trx, id, taste, at)
      }),
    reset: (token) =>
      change(token, async (trx, { id, at }) => {
        await deleteTaste(trx, id)
        await noteProposalOf(trx, id, [], at)
      }),
    turnOn: (token) => change(token, (trx, reader) => turn(trx, reader, true)),
    turnOff: (token) => change(token, (trx, reader) => turn(trx, reader, false)),
  }
}

/** What a taste is before anything was said. */
const NOTHING_YET = (at: Date): StoredTaste => ({ on: false, weights: [], movedAt: at, removed: [], revision: 0 })

/** A locked reader, and their taste as it is stored. */
interface Reader {
  id: string
  taste: StoredTaste
  at: Date
}

const changeTaste = (
  { db, keys, now }: LinkPorts,
  token: string,
  act: (trx: Database, reader: Reader) => Promise<void>,
): Promise<Taste | null> =>
  db.transaction().execute(async (trx) => {
    const owner = await findTokenOwner(trx, keys, 'preferences', token, true)
    if (owner === null) return null
    const at = now()
    await act(trx, { id: owner.id, taste: (await readTaste(trx, owner.id)) ?? NOTHING_YET(at), at })
    return describeTaste(trx, owner.id)
  })

/** What is turned off is learnt all the same, to be there when it is turned on, and proposes nothing. */
const turn = async (trx: Database, { id, taste, at }: Reader, on: boolean): Promise<void> => {
  if (taste.on !== on) await relearn(trx, id, { ...taste, on }, at)
}

/** Learns the weights of a locked reader anew from what they said; returns the presses it was learnt from, without what they took out or follow. */
const relearn = async (
  trx: Database,
  id: string,
  { on, removed }: Pick<StoredTaste, 'on' | 'removed'>,
  at: Date,
): Promise<Press[]> => {
  const subscriber = await readSubscriber(trx, { id })
  // How much comes of a followed topic is for the settings: a taste is of what is within them and beside them.
  const followed = (subscriber?.topics ?? []).map(termOfTopic)
  const takenOut = new Set([...removed.map(({ term }) => term), ...followed])
  const presses = (await readPresses(trx, id, MOST_LEARNT)).map(({ paper, ...press }) => ({
    ...press,
    terms: paperTerms(paper).filter(({ term }) => !takenOut.has(term)),
  }))
  await storeTaste(trx, id, { on, weights: learnTaste(presses, at), movedAt: at, removed })
  await noteProposalOf(trx, id, on ? presses : [], at)
  return presses
}

const learnFrom = async (
  trx: Database,
  press: PaperPress,
  direction: Direction,
): Promise<{ outcome: 'learnt' | 'noted' | 'known' | 'too many'; about?: string[] }> => {
  const { subscriberId, paperId, at } = press
  if ((await readPress(trx, subscriberId, paperId)) === direction) return { outcome: 'known' }
  const since = new Date(at.getTime() - DAY)
  if ((await countPressesSince(trx, subscriberId, since)) >= MOST_A_DAY) return { outcome: 'too many' }
  await storePress(trx, { ...press, direction })
  const taste = await readTaste(trx, subscriberId)
  // The first press turns it on; who turned it off is asked to turn it on themselves.
  const on = taste?.on ?? true
  const presses = await relearn(trx, subscriberId, { on, removed: taste?.removed ?? [] }, at)
  const terms = presses.find((one) => one.paperId === paperId)?.terms ?? []
  return { outcome: on ? 'learnt' : 'noted', about: tellingLabels(terms) }
}

const unlearn = async (trx: Database, { subscriberId, paperId, at }: PaperPress): Promise<'taken back' | 'none'> => {
  if (!(await deletePress(trx, subscriberId, paperId))) return 'none'
  await relearn(trx, subscriberId, (await readTaste(trx, subscriberId)) ?? NOTHING_YET(at), at)
  return 'taken back'
}

const describeTaste = async (db: Database, id: string): Promise<Taste> => {
  const taste = await readTaste(db, id)
  const most = Math.max(0, ...(taste?.weights ?? []).map(({ weight }) => Math.abs(weight)))
  return {
    on: taste?.on ?? false,
    lines: (taste?.weights ?? []).map(({ term, label, weight }) => ({
      term,
      kind: kindOfTerm(term),
      label,
      direction: weight > 0 ? 'more' : 'less',
      share: Math.abs(weight) / most,
    })),
    removed: taste?.removed ?? [],
    presses: (await readPressesOf(db, id)).reverse(),
    revision: taste?.revision ?? 0,
  }
}
