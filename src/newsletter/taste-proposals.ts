/** Proposals to readers: found in what they said of papers, told by their next digest, and answered by its link. */
import { interestsOf } from '../core/digest/interests.ts'
import { isSubscribed, type Preferences } from '../core/subscriber/preferences.ts'
import { findProposal, type ProposalKind, tryProposal, withoutProposal } from '../core/taste/proposal.ts'
import type { Press } from '../core/taste/taste.ts'
import type { Database } from '../store/database.ts'
import { preferencesOf, readSubscriber } from '../store/subscribers.ts'
import {
  answerProposal,
  noteProposal,
  readProposal,
  readProposals,
  type StoredProposal,
  withdrawProposal,
} from '../store/taste-proposals.ts'
import { applyPreferences } from './subscription/preferences.ts'
import { type AddressedSubscriber, findTokenOwner, type LinkPorts } from './subscription/token-owner.ts'

/**
 * How a proposal stands: `open`; `accepted`, and in the settings; `declined`; `present` in them by other means; `full`: its list
 * has no room; `cannot`: its topic is gone, or its words are wanted and muted at once; `last`: it was not taken back, for
 * nothing else is followed.
 */
export type ProposalState = 'open' | 'accepted' | 'declined' | 'present' | 'full' | 'cannot' | 'last'

export interface OwnProposal {
  kind: ProposalKind
  value: string
  label: string
  presses: number
  state: ProposalState
}

/** `null` always means: that link is unknown, altered, of another purpose or dead, or its proposal is another reader's. */
export interface TasteProposals {
  read(token: string, id: number): Promise<OwnProposal | 'not subscribed' | null>
  /** Adds what was proposed to the settings, which the next digest tells. What cannot be added changes nothing. */
  accept(token: string, id: number): Promise<OwnProposal | 'not subscribed' | null>
  /** Proposes it never again; the settings stay as they are. */
  decline(token: string, id: number): Promise<OwnProposal | 'not subscribed' | null>
  /** Takes the answer back, and what was added out of the settings. */
  undo(token: string, id: number): Promise<OwnProposal | 'not subscribed' | null>
}

/**
 * Notes what the next digest of a locked subscriber proposes by their newest presses, or that it proposes nothing. What
 * waited to be proposed is found anew, so that a press that is taken back counts no more.
 */
export const noteProposalOf = async (
  trx: Database,
  subscriberId: string,
  presses: readonly Press[],
  at: Date,
): Promise<void> => {
  const subscriber = await readSubscriber(trx, { id: subscriberId })
  if (subscriber === undefined) return
  await withdrawProposal(trx, subscriberId)
  if (!isSubscribed(subscriber.state)) return
  const past = await readProposals(trx, subscriberId)
  const found = findProposal(presses, preferencesOf(subscriber), past, at)
  if (found !== null) await noteProposal(trx, subscriberId, found, at)
}

export const createTasteProposals = (ports: LinkPorts): TasteProposals => {
  const { db, keys, now } = ports
  const change = (
    token: string,
    id: number,
    act: (trx: Database, owner: AddressedSubscriber, proposal: StoredProposal) => Promise<'last' | undefined>,
  ) =>
    db.transaction().execute(async (trx) => {
      const owner = await findTokenOwner(trx, keys, 'preferences', token, true)
      if (owner === null) return null
      const proposal = await readProposal(trx, owner.id, id)
      if (proposal === null) return null
      if (!isSubscribed(owner.state)) return 'not subscribed'
      const state = await act(trx, owner, proposal)
      const described = await describe(trx, owner.id, id)
      return described === null || state === undefined ? described : { ...described, state }
    })

  return {
    async read(token, id) {
      const owner = await findTokenOwner(db, keys, 'preferences', token)
      if (owner === null) return null
      if (!isSubscribed(owner.state)) return (await readProposal(db, owner.id, id)) === null ? null : 'not subscribed'
      return describe(db, owner.id, id)
    },
    accept: (token, id) =>
      change(token, id, async (trx, owner, proposal) => {
        const tried = tryProposal(proposal, preferencesOf(owner))
        if (tried.state !== 'open') return undefined
        await answerProposal(trx, id, 'accepted', now())
        await applyPreferences(trx, owner, tried.preferences, now())
      }),
    decline: (token, id) =>
      change(token, id, async (trx, owner, proposal) => {
        if (stateOf(proposal, preferencesOf(owner)) === 'accepted') return undefined
        await answerProposal(trx, id, 'declined', now())
      }),
    undo: (token, id) =>
      change(token, id, async (trx, owner, proposal) => {
        const present = preferencesOf(owner)
        if (stateOf(proposal, present) === 'accepted') {
          const preferences = withoutProposal(proposal, present)
          if (interestsOf(preferences).length === 0) return 'last'
          await applyPreferences(trx, owner, preferences, now())
        }
        await answerProposal(trx, id, null, now())
      }),
  }
}

const stateOf = (proposal: StoredProposal, preferences: Preferences): Exclude<ProposalState, 'last'> => {
  const { state } = tryProposal(proposal, preferences)
  if (state === 'present') return proposal.answer === 'accepted' ? 'accepted' : 'present'
  return proposal.answer === 'declined' ? 'declined' : state
}

const describe = async (db: Database, subscriberId: string, id: number): Promise<OwnProposal | null> => {
  const proposal = await readProposal(db, subscriberId, id)
  const subscriber = await readSubscriber(db, { id: subscriberId })
  if (proposal === null || subscriber === undefined) return null
  const { kind, value, label, presses } = proposal
  return { kind, value, label, presses, state: stateOf(proposal, preferencesOf(subscriber)) }
}
