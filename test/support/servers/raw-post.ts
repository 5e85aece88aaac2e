/** A POST with exactly the headers it is given, as a mail provider's machine sends it: `fetch` would add its own. */
import { request } from 'node:http'

export interface BareAnswer {
  status: number
  headers: NodeJS.Dict<string | string[]>
  text: string
}

export const postBare = (url: string, headers: Record<string, string>, body: string): Promise<BareAnswer> =>
  new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', headers }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (part: string) => {
        text += part
      })
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }))
    })
    sent.on('error', reject)
    sent.end(body)
  })
