/** Sign-ups over HTTP on kept connections, for benchmarks: each of another client, where the service trusts us as its proxy. */
import { Agent, request } from 'node:http'

export const openPoster = (url: string, connections: number) => {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  let clients = 0
  /** Resolves to the status of the answer. */
  const post = (path: string, content: object): Promise<number> =>
    new Promise((resolve, reject) => {
      const body = JSON.stringify(content)
      const headers = {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        accept: 'application/json',
        'x-forwarded-for': `2001:db8:${(clients >> 16).toString(16)}:${(clients++ & 0xffff).toString(16)}::1`,
      }
      const asked = request(`${url}${path}`, { method: 'POST', agent, headers }, (answer) => {
        answer.resume()
        answer.once('end', () => resolve(answer.statusCode ?? 0))
      })
      asked.once('error', reject)
      asked.end(body)
    })
  return {
    /** Signs an address up as a program would. */
    post: (email: string) =>
      post('/subscribe', { email, topics: ['robotics'], frequency: 'daily', timezone: 'Europe/London' }),
    /** Confirms by the token of a confirmation. */
    confirm: (token: string) => post(`/confirm/${token}`, {}),
    close: () => agent.destroy(),
  }
}

export const median = (values: number[]): number => percentile(values, 50)

export const percentile = (values: number[], percent: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor((values.length * percent) / 100))] ?? 0
