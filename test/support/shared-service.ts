/** What the host of a shared service tells the tests; the service is started when the first of them asks. */
import { inject } from 'vitest'
import type { SharedService } from './global-setup.ts'

export const askSharedHost = async <Facts>(service: SharedService): Promise<Facts> => {
  const response = await fetch(`${inject('hostsUrl')}/${service}`)
  if (!response.ok) throw new Error(await response.text())
  return (await response.json()) as Facts
}
