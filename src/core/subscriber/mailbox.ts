/**
 * Which addresses reach the same mailbox, and which recipients share a domain. For limits alone: mail goes to the address
 * as it was typed, and two spellings are two subscribers.
 */
import { getDomain } from 'tldts'

interface Provider {
  domains: readonly string[]
  /** Whether one name is the same mailbox at all of the domains, or another at each. */
  alike: boolean
  /** The characters of a name that the provider does not tell apart, and what stands for them. */
  ignored?: readonly [characters: RegExp, instead: string]
}

/**
 * Providers of mailboxes for everybody, as their own help pages say (2026). Gmail ignores dots; Proton dots, hyphens and
 * underscores; Yandex takes a dot for a hyphen.
 */
const PROVIDERS: readonly Provider[] = [
  { domains: ['gmail.com', 'googlemail.com'], alike: true, ignored: [/\./g, ''] },
  { domains: ['icloud.com', 'me.com', 'mac.com'], alike: true },
  { domains: ['proton.me', 'protonmail.com', 'pm.me', 'protonmail.ch'], alike: true, ignored: [/[._-]/g, ''] },
  {
    domains: [
      'yandex.ru',
      'ya.ru',
      ...['by', 'com', 'com.tr', 'kz', 'ua', 'uz', 'fr', 'eu'].map((end) => `yandex.${end}`),
    ],
    alike: true,
    ignored: [/\./g, '-'],
  },
  { domains: ['outlook.com', 'hotmail.com', 'live.com', 'msn.com', 'hotmail.co.uk', 'hotmail.fr'], alike: false },
  { domains: ['yahoo.com', 'ymail.com', 'rocketmail.com', 'yahoo.co.jp', 'yahoo.co.uk', 'aol.com'], alike: false },
  { domains: ['fastmail.com', 'fastmail.fm', 'gmx.de', 'gmx.net', 'gmx.at', 'gmx.com', 'web.de'], alike: false },
  { domains: ['qq.com', 'foxmail.com', '163.com', '126.com', 'sina.com', 'naver.com', 'daum.net'], alike: false },
  { domains: ['mail.ru', 'bk.ru', 'list.ru', 'inbox.ru', 'rambler.ru', 'zoho.com', 'tuta.com'], alike: false },
]
const PROVIDER_OF = new Map(PROVIDERS.flatMap((provider) => provider.domains.map((domain) => [domain, provider])))

/**
 * One key for all spellings that reach the same mailbox: lower case, without a plus tag, a provider's domains as one, and
 * without what it ignores. Tags are left out everywhere, since most providers have them, and where one has not, two
 * strangers merely share a limit.
 */
export const mailboxKey = (address: string): string => {
  const [localPart = '', typed = ''] = address.toLowerCase().split('@')
  const provider = PROVIDER_OF.get(typed)
  const domain = provider?.alike === true ? provider.domains[0] : typed
  // A name that begins with a plus is nothing but a tag.
  const name = localPart.replace(/\+.*$/, '')
  const [characters, instead] = provider?.ignored ?? []
  return `${characters === undefined ? name : name.replace(characters, instead ?? '')}@${domain}`
}

/**
 * The domain whose owner gets all the mail to an address, such as `uni.example` for `ada@cs.uni.example`; `null` at a
 * provider, whose mailboxes belong to strangers.
 */
export const recipientDomain = (address: string): string | null => {
  const domain = address.toLowerCase().split('@')[1] ?? ''
  return PROVIDER_OF.has(domain) ? null : (getDomain(domain, { allowPrivateDomains: false }) ?? domain)
}
