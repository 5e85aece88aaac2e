/** The setting of sign-ups. */
import { expect, test } from 'vitest'
import { readConfig } from '../../../workers/config/config.ts'
import { faultsOf } from '../../support/fixtures/settings.ts'

test('limits are read, what is left out keeps its own, and nonsense is named', () => {
  const read = (text: string) => readConfig({ SIGN_UPS_PER_HOUR: text }).signUpLimits
  expect(read('all=5000, client=3')).toEqual({ client: 3, domain: 20, all: 5000 })
  for (const wrong of ['10', 'all=0', 'all=-1', 'everybody=3', 'all=3,', 'all=1e3'])
    expect(faultsOf({ SIGN_UPS_PER_HOUR: wrong })).toEqual([expect.stringContaining('SIGN_UPS_PER_HOUR: write it as')])
})
