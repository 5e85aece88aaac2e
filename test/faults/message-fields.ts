/** What a test reads in a message as the mail server took it: headers, links, and what kind of mail it is. */

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

/**
 * A digest or a welcome without the sentence that says when the next is expected, the signature that covers it, and the line breaks that
 * depend on its length.
 */
export const withoutNextDigest = (raw: string): string =>
  readable(raw)
    .replace(/^DKIM-Signature:.*\r\n(?:[ \t].*\r\n)*/gim, '')
    .replaceAll(/\s+/g, ' ')
    .replaceAll(
      /(?:No papers are listed at weekends\. )?Your next digest is expected (?:on|by) [^<>.]{1,80}, if there are new papers for you\./g,
      '',
    )

/** With its angle brackets; empty where there is none. */
export const messageIdOf = (raw: string): string => /^Message-ID: (\S+)\r$/im.exec(raw)?.[1] ?? ''

/** `letter` has no list it could be unsubscribed from. */
export const kindOf = (raw: string): 'letter' | 'welcome' | 'digest' => {
  const [feedback] = headersOf(raw, 'Feedback-ID')
  if (feedback === undefined) return 'letter'
  return feedback.split(':')[1] === 'welcome' ? 'welcome' : 'digest'
}

/** The one-click address of a message that has one. */
export const oneClickOf = (raw: string): string | null =>
  kindOf(raw) === 'letter'
    ? null
    : (/<(https?:[^<>]+)>/.exec(readable(headersOf(raw, 'List-Unsubscribe').join()))?.[1] ?? null)
