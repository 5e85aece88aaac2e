/** Reading the mailbox as a person does: waiting for a mail, opening it, and taking its links. */
export interface ReceivedMail {
  id: string
  to: string
  subject: string
  text: string
  html: string
  /** Header lines, unfolded, by lower-case name. */
  headers: Map<string, string[]>
  raw: string
  /** Paths (without origin) of the links that go to the service, by their first part: `confirm`, `preferences`, … */
  links: Map<string, string>
}

export interface Mail {
  /** The mails to an address, oldest first, without the first `skipped` of them. */
  list(to: string, skipped?: number): Promise<ReceivedMail[]>
  /** Waits for the nth mail (1 is the first) to an address. */
  waitFor(to: string, nth: number): Promise<ReceivedMail>
  count(): Promise<number>
}

const PATIENCE = 60_000
const PAUSE = 25

interface Listed {
  messages: { ID: string; To: { Address: string }[] }[]
  total: number
}

/** Speaks the part of Mailpit's API that the embedded mailbox has. */
export const createMail = (mailboxUrl: string): Mail => {
  const get = async <T>(path: string): Promise<T> => {
    const response = await fetch(`${mailboxUrl}/api/v1/${path}`)
    if (!response.ok) throw new Error(`${path} answered ${response.status}`)
    return (await response.json()) as T
  }
  const idsTo = async (to: string): Promise<string[]> => {
    const { messages } = await get<Listed>('messages?limit=10000')
    return messages
      .filter((message) => message.To.some((one) => one.Address.toLowerCase() === to.toLowerCase()))
      .map((message) => message.ID)
      .reverse()
  }
  const open = async (id: string): Promise<ReceivedMail> => {
    const message = await get<{ Subject: string; Text: string; HTML: string; To: { Address: string }[] }>(
      `message/${id}`,
    )
    const raw = await (await fetch(`${mailboxUrl}/api/v1/message/${id}/raw`)).text()
    return {
      id,
      to: message.To[0]?.Address ?? '',
      subject: message.Subject,
      text: message.Text,
      html: message.HTML,
      headers: headersOf(raw),
      raw,
      links: linksOf(message.HTML),
    }
  }
  return {
    list: async (to, skipped = 0) => Promise.all((await idsTo(to)).slice(skipped).map(open)),
    async waitFor(to, nth) {
      const until = Date.now() + PATIENCE
      for (;;) {
        const id = (await idsTo(to))[nth - 1]
        if (id !== undefined) return open(id)
        if (Date.now() > until) throw new Error(`mail ${nth} to ${to} did not come`)
        await new Promise((resume) => setTimeout(resume, PAUSE))
      }
    },
    count: async () => (await get<Listed>('messages?limit=1')).total,
  }
}

const headersOf = (raw: string): Map<string, string[]> => {
  const head = raw.slice(0, raw.indexOf('\r\n\r\n')).replace(/\r\n[ \t]+/g, ' ')
  const headers = new Map<string, string[]>()
  for (const line of head.split('\r\n')) {
    const name = line.slice(0, line.indexOf(':')).toLowerCase()
    headers.set(name, [...(headers.get(name) ?? []), line.slice(line.indexOf(':') + 1).trim()])
  }
  return headers
}

/** Paths of the links that go to the service, by their first part. */
export const linksOf = (html: string): Map<string, string> => {
  const links = new Map<string, string>()
  for (const [, href = ''] of html.matchAll(/href="([^"]+)"/g)) {
    const [, path, kind = ''] =
      /^https?:\/\/localhost:\d+(\/(confirm|preferences|follow|unsubscribe|digests|links|never|account|address|undo|vote|curate)\b[^"]*)$/.exec(
        href,
      ) ?? []
    if (path !== undefined && !links.has(kind)) links.set(kind, path)
  }
  return links
}
