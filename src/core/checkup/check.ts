/** What a checkup finds out about one thing, and what to do where it is not as it should be. */

export interface Finding {
  /** `warn`: it works, and some mail may suffer. `not looked at`: there is nothing to look at, as `found` says. */
  status: 'ok' | 'warn' | 'wrong' | 'not looked at'
  found: string
  wrong: string | null
  /** The exact record or setting that mends it. */
  mend: string | null
}

export interface Check extends Finding {
  name: string
}

export const fine = (found: string): Finding => ({ status: 'ok', found, wrong: null, mend: null })

export const notLookedAt = (why: string): Finding => ({ status: 'not looked at', found: why, wrong: null, mend: null })

export const warning = (found: string, wrong: string, mend: string): Finding => ({
  status: 'warn',
  found,
  wrong,
  mend,
})

export const fault = (found: string, wrong: string, mend: string): Finding => ({ status: 'wrong', found, wrong, mend })
