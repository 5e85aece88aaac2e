/**
 * The page of another site that a subscribe form stands on, to which its reader goes back: a link that shows its host, and
 * never a redirect.
 */

/** Characters of a return address. */
export const MAX_RETURN = 500

/**
 * Reads an address to go back to. Null where it is no `https:` URL, or names a user; a site that is itself reached by plain
 * http, as on one’s own machine, takes `http:` too.
 */
export const readReturn = (text: unknown, baseUrl: string): URL | null => {
  if (typeof text !== 'string' || text.length > MAX_RETURN || !URL.canParse(text)) return null
  const url = new URL(text)
  const isSafe = url.protocol === 'https:' || (url.protocol === 'http:' && baseUrl.startsWith('http:'))
  return isSafe && url.username === '' && url.password === '' ? url : null
}

/**
 * Where the reader of a form of another site goes back to: to the page that the form names, if it is of the site that the
 * browser says the form was on; else to the front page of that site. Empty where the browser says none. So no site can have
 * us link to any but itself.
 */
export const returnFrom = (named: unknown, origin: string | undefined, baseUrl: string): string => {
  const from = readReturn(origin, baseUrl)
  if (from === null || from.origin === new URL(baseUrl).origin) return ''
  const page = readReturn(named, baseUrl)
  return (page?.origin === from.origin ? page : from).href
}

/** A return address as a template shows it; international names of hosts as the letters that a browser looks them up by. */
export const returnView = (returnTo: string): { href: string; host: string } | null =>
  returnTo === '' ? null : { href: returnTo, host: new URL(returnTo).host }
