/**
 * Clients that ask for one page after the other until their input ends, in a process of their own, so that they take no time
 * from whoever measures.
 *
 *     node test/support/processes/page-clients-process.ts URL PID CLIENTS PATH      prints what `loadPages` returns
 *
 * A `*` in the path is another number each time.
 */
import { once } from 'node:events'
import { loadPages } from '../servers/page-load.ts'

const [url = '', pid = '', clients = '', path = '/'] = process.argv.slice(2)
const stop = new AbortController()
process.stdin.resume()
void once(process.stdin, 'end').then(() => stop.abort())

let asked = 0
const next = () => path.replaceAll('*', () => String(asked++))
const options = { connections: Number(clients), signal: stop.signal }
console.log(JSON.stringify(await loadPages({ url, pid: Number(pid) }, next, options)))
