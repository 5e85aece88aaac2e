/** What the keeper of a service tells the tests; the service is started when the first of them asks. */
import { inject } from 'vitest'
import type { KeptService } from '../global-setup.ts'

export const askKeeper = async <Told>(service: KeptService): Promise<Told> => {
  const response = await fetch(`${inject('keepersDoor')}/${service}`)
  if (!response.ok) throw new Error(await response.text())
  return (await response.json()) as Told
}
