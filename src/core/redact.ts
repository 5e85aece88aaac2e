/** Error texts made fit for a log: databases and mail servers quote addresses and links in theirs. */

const ADDRESS = /[^\s"'<>()[\],;:=]+@[^\s"'<>()[\],;:=]+/gu
/** The tokens of emailed links, and anything else that long without a break: 43 characters of base64url or more. */
const TOKEN = /[A-Za-z0-9_-]{43,}/g

/** A text without addresses and tokens, at most 2,000 characters. */
export const redact = (text: string): string =>
  text.slice(0, 2000).replace(ADDRESS, '(address)').replace(TOKEN, '(token)')

/** What may be logged of a thrown value: its kind, code, message and where it was thrown. */
export const describeError = (fault: unknown): { name: string; code?: string; message: string; stack?: string } => {
  if (!(fault instanceof Error)) return { name: typeof fault, message: redact(String(fault)) }
  const code = 'code' in fault && typeof fault.code === 'string' ? { code: fault.code } : {}
  const stack = fault.stack === undefined ? {} : { stack: redact(fault.stack) }
  return { name: fault.name, ...code, message: redact(fault.message), ...stack }
}
