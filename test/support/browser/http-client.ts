/** Using the site as a browser without script would: pages, forms and links over HTTP. */
export interface Page {
  status: number
  html: string
  /** Text without tags, white space folded. */
  text: string
  headers: Headers
}

const readPage = async (response: Response): Promise<Page> => {
  const html = await response.text()
  const text = html
    .replace(/<(style|script)[^>]*>.*?<\/\1>/gs, ' ')
    .replace(/<[^>]+>/g, ' ')
    .replaceAll('&amp;', '&')
    .replaceAll('&#39;', "'")
    .replace(/\s+/g, ' ')
  return { status: response.status, html, text, headers: response.headers }
}

/** `headers`: what each request has besides. */
export const openSite = (url: string, headers: () => Record<string, string> = () => ({})) => ({
  get: async (path: string): Promise<Page> =>
    readPage(await fetch(new URL(path, url), { headers: headers(), redirect: 'manual' })),

  /** Posts a form; a value that is an array is sent once for each. Redirects are followed as a browser does. */
  post: async (path: string, fields: Record<string, string | string[]> = {}): Promise<Page> => {
    const body = new URLSearchParams()
    for (const [name, value] of Object.entries(fields)) for (const one of [value].flat()) body.append(name, one)
    return readPage(await fetch(new URL(path, url), { method: 'POST', headers: headers(), body }))
  },
})

export type Site = ReturnType<typeof openSite>
