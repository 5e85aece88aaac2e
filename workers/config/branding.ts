/** The settings of the name and looks under which readers know this installation. */
import { DEFAULT_NAME, nameProblem } from '../../src/core/branding/service-name.ts'
import type { Settings } from './settings.ts'

export interface BrandingConfig {
  /** The name that readers see on pages, in mails and feeds. */
  serviceName: string
}

export const readBranding = ({ read }: Settings): BrandingConfig => ({
  serviceName: read('SERVICE_NAME', DEFAULT_NAME, readName),
})

const readName = (text: string): string => {
  const problem = nameProblem(text)
  if (problem !== null) throw new Error(problem)
  return text
}
