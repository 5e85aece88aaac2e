/** Sign-ups over HTTP on kept connections, for benchmarks. */
import { Agent, request } from 'node:http'

export const openPoster = (url: string, connections: number) => {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  /** Resolves to the status of the answer. */
  const post = (path: string, content: object): Promise<number> =>
    new Promise((resolve, reject) => {
      const body = JSON.stringify(content)
      const headers = {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        accept: 'application/json',
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
