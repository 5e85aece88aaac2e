/** What the mailbox's page and its API read of a request. */
import type { MailFolder } from './mail-folder.ts'

/** Messages of one page of a list. */
export const PAGE_LENGTH = 50

export type MessageRequest = { Params: { id: string }; Querystring: { view?: string; start?: string } }

/** A whole number of up to nine digits, or `otherwise`. */
export const wholeNumber = (text: string | undefined, otherwise: number): number =>
  text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : otherwise

/** The id of a message that is kept; `latest` names the newest. `null` where there is none. */
export const findMessage = (folder: MailFolder, id: string): string | null => {
  const found = id === 'latest' ? folder.ids().at(-1) : id
  return found !== undefined && folder.has(found) ? found : null
}
