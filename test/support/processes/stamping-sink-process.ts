/**
 * A mail server for benchmarks, in a process of its own: it takes every mail, keeps none, and says when it took those to
 * addresses that begin with `confirm`.
 *
 *     node test/support/processes/stamping-sink-process.ts      prints its URL; then, for each line it reads, one line of JSON:
 *                                                     {"count":N,"taken":{"confirm1@example.org":[MILLISECONDS]}}
 *
 * The times of an address stand in the order of its mails.
 */
import { createInterface } from 'node:readline'
import { openSmtpSink } from '../servers/smtp-sink.ts'

const taken: Record<string, number[]> = {}
const sink = await openSmtpSink({
  keep: false,
  onMessage: ({ to }) => {
    if (!to.startsWith('confirm')) return
    taken[to] ??= []
    taken[to].push(Date.now())
  },
})
console.log(sink.url)
createInterface(process.stdin)
  .on('line', () => console.log(JSON.stringify({ count: sink.count(), taken })))
  .on('close', () => process.exit())
