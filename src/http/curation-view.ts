/** What the curators' page shows of what was done and suggested, and how it answers, in words. */
import { longDate } from '../core/digest/headline.ts'
import { serverOf } from '../core/papers/paper.ts'
import { plainTitle } from '../core/text/latex.ts'
import type { ActResult, Curation, CuratorAct, Suggestion } from '../newsletter/curation/curations.ts'
import { instantInWords, paperPath } from './archive/card-list.ts'

/** An answer to what a curator asked for. */
export interface Answer {
  status: number
  /** Whether nothing was changed. */
  isRefused: boolean
  sentence: string
  /** The field that is at fault; `null` where none is. */
  field: string | null
}

const seen = (at: Date): string => instantInWords({ at, hourKnown: true })

/** `arXiv 2604.11784`, or the id of a paper that is not there. */
const nameOf = (paperId: string): string => {
  const server = serverOf(paperId)
  return server === null ? paperId : `${server.name} ${server.number}`
}

const VERBS = { pick: 'picked', pin: 'pinned', hide: 'hid' } as const

/** What stands behind the paper: to which day it was pinned. */
const whereTo = ({ action, listDay }: Pick<Curation, 'action' | 'listDay'>): string =>
  action === 'pin' && listDay !== null ? ` to ${longDate(listDay)}` : ''

type Done = Extract<ActResult, { outcome: 'done' }>

const DONE: Record<CuratorAct['act'], (asked: CuratorAct, paper: string, done: Done) => string> = {
  pick: (_, paper, { waiting, newsUntil }) => {
    if (waiting) return `Picked: ${paper}. It isn’t here yet; we ask arXiv for it now.`
    const picked = `Picked: ${paper}. Readers see your name and the note`
    return newsUntil === null
      ? `${picked}.`
      : `${picked} on the site. Daily digests won’t bring it: they take in papers for three days, this one until ${seen(newsUntil)}.`
  },
  accept: (asked, paper, done) => DONE.pick(asked, paper, done),
  pin: (asked, paper) => `Pinned ${paper}${asked.act === 'pin' ? ` to ${longDate(asked.listDay)}` : ''}.`,
  hide: (_, paper) => `Hidden: ${paper}. Nobody is shown or sent it any more.`,
  undo: (_, paper) => `Undone for ${paper}. A paper that was picked stays in the archive; hide it to take it away.`,
  decline: (_, paper) => `Declined: ${paper}.`,
}

/** What a curator is told of what they asked for. */
export const answerTo = (asked: CuratorAct, result: ActResult): Answer => {
  const refuse = (status: number, sentence: string, field: string | null = null): Answer => ({
    status,
    isRefused: true,
    sentence: `Nothing has changed. ${sentence}`,
    field,
  })
  switch (result.outcome) {
    case 'done': {
      const sentence = DONE[asked.act](asked, nameOf(result.paperId), result)
      return { status: 200, isRefused: false, sentence, field: null }
    }
    case 'already': {
      const { first } = result
      const because = first.note === null ? '' : ` (“${first.note}”)`
      return refuse(
        409,
        `${first.curator} ${VERBS[first.action]} it${whereTo(first)} already, on ${seen(first.at)}${because}. To do it anew, undo that first.`,
      )
    }
    case 'hidden':
      return refuse(
        409,
        result.hide === null
          ? 'This paper is hidden.'
          : `${result.hide.curator} hid this paper (“${result.hide.note}”). Undo that first.`,
        'paper',
      )
    case 'not held':
      return refuse(422, `We don’t hold ${nameOf(result.paperId)}. Pick it first.`, 'paper')
    case 'no list':
      return refuse(
        422,
        'There is no list of that day. Choose one with a list, or a day within the next two weeks.',
        'day',
      )
    case 'undone already':
      return {
        status: 200,
        isRefused: false,
        sentence: `${result.by} undid this already, on ${seen(result.at)}.`,
        field: null,
      }
    case 'decided already':
      return refuse(409, `${result.by} ${result.decision} it already.`)
    case 'no such entry':
      return refuse(404, 'There is no such entry any more.')
    case 'too many':
      return refuse(429, 'You’ve acted on as many papers as one curator may in 24 hours. Please go on tomorrow.')
  }
}

/** An entry of what all curators did. */
export const doneView = (one: Curation) => {
  const isHeld = one.title !== null
  const isHidden = one.action === 'hide' && one.undoneAt === null
  const name = isHeld ? plainTitle(one.title ?? '') : nameOf(one.paperId)
  return {
    id: one.id,
    name,
    href: isHeld && !isHidden ? paperPath(one.paperId) : (serverOf(one.paperId)?.page ?? null),
    paper: nameOf(one.paperId),
    verb: VERBS[one.action],
    to: whereTo(one),
    note: one.note,
    curator: one.curator,
    at: seen(one.at),
    state:
      one.action !== 'pick' || isHeld || one.undoneAt !== null
        ? null
        : one.askedAt === null
          ? 'Waiting for arXiv.'
          : `arXiv knows no such paper (asked on ${seen(one.askedAt)}).`,
    undone: one.undoneAt === null ? null : `Undone by ${one.undoneBy} on ${seen(one.undoneAt)}.`,
  }
}

/** A suggestion, with what was typed into its form. */
export const suggestionView = (
  { id, paperId, note, at }: Suggestion,
  form: { note: string; errors: Record<string, string> },
) => ({
  id,
  paper: nameOf(paperId),
  href: serverOf(paperId)?.page ?? null,
  note,
  at: seen(at),
  typed: form.note,
  error: form.errors.note ?? null,
})
