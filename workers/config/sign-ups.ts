/** The settings of sign-ups: how many are answered at once before they are held, and whether their domains are looked up. */
import { isIP } from 'node:net'
import { type SignUpLimits, STANDARD_LIMITS } from '../../src/core/subscriber/sign-up-limits.ts'
import { mailLeaves, type SenderConfig } from './senders.ts'
import type { Settings } from './settings.ts'

export interface SignUpConfig {
  signUpLimits: SignUpLimits
  /** The name servers that are asked whether a domain takes email, none for this machine's; `null`: nobody is asked. */
  domainServers: string[] | null
}

const MOST = 1_000_000_000

/** Domains are looked up by themselves only where mail leaves a production: to try things out needs no name server. */
export const readSignUps = ({ read }: Settings, senders: SenderConfig, production: boolean): SignUpConfig => ({
  signUpLimits: read('SIGN_UPS_PER_HOUR', STANDARD_LIMITS, readLimits),
  domainServers: read('DOMAIN_LOOKUPS', production && mailLeaves(senders) ? [] : null, readDomainLookups),
})

/** `client=10,domain=20,all=300`, of which each may be left out. */
const readLimits = (text: string): SignUpLimits => {
  const limits = { ...STANDARD_LIMITS }
  for (const part of text.split(',')) {
    const [, name, count] = /^(client|domain|all)=(\d{1,10})$/.exec(part.trim()) ?? []
    if (name === undefined || Number(count) < 1 || Number(count) > MOST)
      throw new Error('write it as client=10,domain=20,all=300, of which each may be left out')
    limits[name as keyof SignUpLimits] = Number(count)
  }
  return limits
}

/** `on`, `off`, or addresses of name servers with or without a port. */
const readDomainLookups = (text: string): string[] | null => {
  if (text === 'off') return null
  if (text === 'on') return []
  const servers = text.split(',').map((server) => server.trim())
  if (!servers.every((server) => isIP(server.replace(/^\[(.*)\](?::\d+)?$|:\d+$/, '$1')) > 0 || isIP(server) > 0))
    throw new Error('is on, off, or the addresses of name servers, such as 9.9.9.9,127.0.0.1:5353')
  return servers
}
