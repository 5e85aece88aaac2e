/** What an operator is told of a route that takes less or nothing, by its cause: what is the matter, and what to do. */
import type { ThrottleCause } from './pace.ts'

/** Settings are named, their values are not. */
export const ADVICE: Record<ThrottleCause, string> = {
  login: 'the mail server refuses our login: check the user and password in SMTP_URL',
  sender: 'the mail server refuses our sender: check MAIL_FROM, and whether the server may send for its domain',
  tls: 'TLS with the mail server fails: check its certificate, and the host and port in SMTP_URL',
  relay: 'the mail server cannot be reached or takes nothing: check the host and port in SMTP_URL',
  policy: 'several destinations refuse our mail: check the reason, and SPF, DKIM and DMARC of MAIL_FROM',
  lost: 'the mail server breaks off message after message',
  throttled: 'the mail server takes too little',
  limited: 'the mail server takes too little',
  away: 'the mail server cannot reach destinations',
  quota: 'the mail server says that our limit is reached: wait, or have its provider raise the limit',
  account: 'the mail server says that our account may not send for now: ask its provider why',
  rate: 'the mail server asks for fewer mails at a time: nothing is to be done, or have its provider raise the limit',
  connections: 'the mail server bears fewer connections: lower SMTP_CONNECTIONS to what it bears',
  common: 'the mail server refuses everybody in the same words: read them, and ask its provider',
}
