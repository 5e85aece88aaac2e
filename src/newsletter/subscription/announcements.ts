/** Whether a reader gets announcements beside their digests: stopped by the link in one, and changed in the settings. */
import { maskAddress } from '../../core/subscriber/masked-address.ts'
import { isSubscribed } from '../../core/subscriber/preferences.ts'
import { storeWantsAnnouncements } from '../../store/announcements.ts'
import { type OwnPreferences, readOwnPreferences } from './preferences.ts'
import { findTokenOwner, type LinkPorts } from './token-owner.ts'

/** What the page of the link shows. */
export interface AnnouncementStop {
  /** Masked: the link may have been forwarded. */
  email: string
  /** Whether they get announcements now. */
  wanted: boolean
}

/** `null`, here and below: the link is unknown or dead. */
export const readAnnouncementStop = async (
  { db, keys }: LinkPorts,
  token: string,
): Promise<AnnouncementStop | null> => {
  const owner = await findTokenOwner(db, keys, 'announcements', token)
  return owner && { email: maskAddress(owner.email), wanted: owner.announcements && isSubscribed(owner.state) }
}

/** Stops announcements and keeps digests; a second time it gives the same answer and changes nothing. */
export const stopAnnouncements = async ({ db, keys }: LinkPorts, token: string): Promise<AnnouncementStop | null> => {
  const owner = await findTokenOwner(db, keys, 'announcements', token)
  if (owner === null) return null
  await storeWantsAnnouncements(db, owner.id, false)
  return { email: maskAddress(owner.email), wanted: false }
}

/** Turns announcements on or off by the preferences link; nothing of somebody who has left. */
export const changeAnnouncements = async (
  ports: LinkPorts,
  token: string,
  wants: boolean,
): Promise<OwnPreferences | null> => {
  const owner = await findTokenOwner(ports.db, ports.keys, 'preferences', token)
  if (owner === null) return null
  if (isSubscribed(owner.state)) await storeWantsAnnouncements(ports.db, owner.id, wants)
  return readOwnPreferences(ports, token)
}
