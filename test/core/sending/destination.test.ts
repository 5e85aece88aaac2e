import { expect, it } from 'vitest'
import { destinationOf } from '../../../src/core/sending/destination.ts'

it.each([
  ['Ada@Example.ORG', 'example.org'],
  ['ada@googlemail.com', 'gmail.com'],
  ['ada@Gmail.com', 'gmail.com'],
  ['ada@hotmail.com', 'outlook.com'],
  ['ada@mail.gmail.com', 'mail.gmail.com'],
])('%s goes to %s', (email, name) => {
  const destination = destinationOf(email)
  expect(destination.name).toBe(name)
  expect(destination.domains).toContain(email.split('@')[1]?.toLowerCase())
})
