/** Redacts error texts for the log: databases and mail servers quote addresses and links in theirs. */

/** Also as they stand in URLs (`%40`) and in quoted-printable (`=40`). */
const ADDRESS = /[^\s"'<>()[\],;:=]+(?:@|%40|=40)[^\s"'<>()[\],;:=]+/giu
/** Tokens of emailed links and of envelope senders, and any other word of 42 or more characters of base64url. */
const TOKEN = /[A-Za-z0-9_-]{42,}/g

/** A text of at most 2,000 characters with `(address)` and `(token)` in place of addresses and tokens. */
export const redact = (text: string): string =>
  text.slice(0, 2000).replace(ADDRESS, '(address)').replace(TOKEN, '(token)')

/** What may be logged of a thrown value: its name, code, message and stack, redacted. */
export const describeError = (error: unknown): { name: string; code?: string; message: string; stack?: string } => {
  if (!(error instanceof Error)) return { name: typeof error, message: redact(String(error)) }
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {}
  const stack = error.stack === undefined ? {} : { stack: redact(error.stack) }
  return { name: error.name, ...code, message: redact(error.message), ...stack }
}
