/** Headers by which mail clients and providers know our mail: that it is automatic, and how to leave the list. */

import { decodeBase32, encodeBase32 } from '../base32.ts'
import { headerPhrase } from '../branding/service-name.ts'
import { TOKEN_BYTES, TOKEN_PLACEHOLDERS } from '../token.ts'

/** Keeps automatic replies away (RFC 3834; the second is Microsoft's). */
export const AUTOMATIC_MAIL_HEADERS = { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' }

/**
 * RFC 8058 (one-click) and, where mail can be received under `bounceDomain`, RFC 2369's `mailto:` as the second choice, for
 * clients that unsubscribe by mail alone;, RFC 2919 (List-Id), and Gmail's Feedback-ID: date, frequency, stream and sender, by which its
 * complaints are counted, so that nothing in it is one subscriber's own (https://support.google.com/a/answer/6254652).
 */
export const listHeaders = (
  digest: { kind: string; localDate: string },
  domain: string,
  unsubscribeUrl: string,
  bounceDomain: string | null,
  serviceName: string,
): Record<string, string> => ({
  'List-Id': `${headerPhrase(serviceName)} <digest.${domain}>`,
  'List-Unsubscribe': [unsubscribeUrl, ...(bounceDomain === null ? [] : [mailtoAt(bounceDomain)])]
    .map((uri) => `<${uri}>`)
    .join(', '),
  'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
  'Feedback-ID': `${digest.localDate.replaceAll('-', '')}:${digest.kind}:digest:paper-round`,
})

/**
 * The same of an announcement, which is a list of its own: its one click ends announcements and keeps the digests. The
 * number is the announcement's.
 */
export const announcementHeaders = (
  announcement: number,
  domain: string,
  stopUrl: string,
  serviceName: string,
): Record<string, string> => ({
  'List-Id': `${headerPhrase(serviceName)} <announcements.${domain}>`,
  'List-Unsubscribe': `<${stopUrl}>`,
  'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
  'Feedback-ID': `${announcement}:all:announcement:paper-round`,
})

/** As a template has it, with a placeholder for each reader's token. */
const mailtoAt = (domain: string): string =>
  `mailto:${ADDRESS_PREFIX}${TOKEN_PLACEHOLDERS.unsubscribeAddress}@${domain}?subject=unsubscribe`

const ADDRESS_PREFIX = 'u-'

/** A token as it stands in an address: base32, since servers may change the case; 52 of the 64 octets of a local part. */
export const addressToken = (token: string): string => encodeBase32(Buffer.from(token, 'base64url'))

/** The token in an address to unsubscribe at, in any case; `null` for any other address. It proves nothing yet. */
export const readUnsubscribeAddress = (address: string, domain: string): string | null => {
  const at = address.lastIndexOf('@')
  const local = address.slice(0, at).toLowerCase()
  if (address.slice(at + 1).toLowerCase() !== domain.toLowerCase() || !local.startsWith(ADDRESS_PREFIX)) return null
  const bytes = decodeBase32(local.slice(ADDRESS_PREFIX.length))
  return bytes?.length === TOKEN_BYTES ? bytes.toString('base64url') : null
}
