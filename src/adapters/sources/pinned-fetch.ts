/** Gets short texts from hosts that the caller has pinned: no redirects, little patience, and not much of them. */
const PATIENCE = 5_000
const MOST = 64 * 1024

export const fetchPinnedText = async (url: string): Promise<string> => {
  const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(PATIENCE) })
  if (!response.ok) throw new Error(`the provider answered ${response.status}`)
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    length += chunk.length
    if (length > MOST) throw new Error('the provider answered too much')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
