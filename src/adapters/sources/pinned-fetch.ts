/** Fetches short texts from hosts that the caller has pinned: no redirects, a short timeout, and a size limit. */
const FETCH_TIMEOUT = 5_000
/** Octets. */
const MAX_BODY = 64 * 1024

/** Rejects where the response is not ok, too long, or not there within five seconds. */
export const fetchPinnedText = async (url: string): Promise<string> => {
  const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(FETCH_TIMEOUT) })
  if (!response.ok) throw new Error(`the provider answered ${response.status}`)
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    length += chunk.length
    if (length > MAX_BODY) throw new Error('the response of the provider is too long')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
