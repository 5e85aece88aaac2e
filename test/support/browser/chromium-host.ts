/** Hosts the Chromium of one test run, as a process (see `service-host`). */
import { hostService } from '../service-host.ts'
import { launchChromiumServer } from './browser.ts'

/** What the tests are told. */
export interface SharedChromium {
  /** Where Playwright connects to it. */
  endpoint: string
}

await hostService<SharedChromium>(async () => {
  const server = await launchChromiumServer()
  return { facts: { endpoint: server.wsEndpoint() }, remove: () => server.close() }
})
