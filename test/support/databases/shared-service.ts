/** What the keeper of a service tells the tests; the service is started when the first of them asks. */
import { inject } from 'vitest'
import type { SharedService } from '../global-setup.ts'

export const askSharedHost = async <Told>(service: SharedService): Promise<Told> => {
  const response = await fetch(`${inject('hostsUrl')}/${service}`)
  if (!response.ok) throw new Error(await response.text())
  return (await response.json()) as Told
}
