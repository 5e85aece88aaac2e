/** The Chromium that all tests of a run share; each test has windows of its own. */
import { askSharedHost } from '../shared-service.ts'
import { connectTestBrowser, type TestBrowser } from './browser.ts'
import type { SharedChromium } from './chromium-host.ts'

export const openSharedBrowser = async (): Promise<TestBrowser> =>
  connectTestBrowser((await askSharedHost<SharedChromium>('chromium')).endpoint)
