/** An address as pages show it to whoever has a link of a digest, which may have been forwarded. */
import { getDomain, getDomainWithoutSuffix } from 'tldts'

const HIDDEN = '•••'

/** Local parts under which a domain of one's own is used: they say nothing, and the domain everything. */
const IMPERSONAL = new Set(['me', 'i', 'hi', 'hello', 'hey', 'mail', 'email', 'post', 'contact', 'info', 'inbox'])

/** Letters of a name that are enough to know somebody by. */
const TELLING = 4

/** Whether the label of a domain names the person whose local part this is, as in `ada.lovelace@lovelace.name`. */
const namesOwner = (localPart: string, label: string, suffix: string): boolean => {
  if (suffix === 'name' || localPart.length === 1) return true
  const name = localPart.replace(/\+.*$/, '')
  if (IMPERSONAL.has(name)) return true
  const parts = name.split(/[^\p{L}\p{N}]+/u).filter((part) => part.length >= TELLING)
  const plain = label.replace(/[^\p{L}\p{N}]+/gu, '')
  return parts.some((part) => plain.includes(part) || (plain.length >= TELLING && part.includes(plain)))
}

/**
 * `a•••@example.org` for `ada@example.org`: enough for the owner to know it by. A domain is shown, for most are shared by
 * many and whoever was forwarded a digest saw it in the sender's address; but not one that names its owner, of which only
 * the first letter and the public suffix are left.
 */
export const maskAddress = (address: string): string => {
  const [localPart = '', domain = ''] = address.toLowerCase().split('@')
  const [first = ''] = localPart
  const registered = getDomain(domain, { allowPrivateDomains: false })
  const label = getDomainWithoutSuffix(domain, { allowPrivateDomains: false })
  if (registered === null || label === null) return `${first}${HIDDEN}@${domain}`
  const suffix = registered.slice(label.length + 1)
  if (!namesOwner(localPart, label, suffix)) return `${first}${HIDDEN}@${domain}`
  return `${first}${HIDDEN}@${[...label][0] ?? ''}${HIDDEN}.${suffix}`
}
