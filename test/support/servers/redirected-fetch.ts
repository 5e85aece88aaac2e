/**
 * Loaded into a program before it starts (`--import`): whatever it asks of a source on the web goes to the server at
 * SOURCE_SERVER instead, so that the programs can be tried as they are and no test leaves this machine.
 */
import { createRequire } from 'node:module'

const SOURCES = new Set(['https://huggingface.co', 'https://rss.arxiv.org', 'https://export.arxiv.org'])
// The module itself, which is not loaded by the program yet: what it imports later is what stands here then.
const undici = createRequire(import.meta.url)('undici') as { fetch: typeof import('undici').fetch }
const { fetch } = undici

undici.fetch = (input, init) => {
  const url = new URL(String(input))
  if (!SOURCES.has(url.origin)) return fetch(input, init)
  // Sources are on the public internet alone, and this server is on this machine.
  const { dispatcher: _publicNetwork, ...rest } = init ?? {}
  return fetch(new URL(url.pathname + url.search, process.env.SOURCE_SERVER), rest)
}
