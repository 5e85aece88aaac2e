/** Live processes, ended ones, and numbers that were used again. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { identify, isRunning, worksIn } from '../../../src/adapters/postgres/process.ts'
import { openTestFolder } from '../../support/fixtures/folder.ts'

describe('a process', () => {
  test('has one identity for as long as it lives', async () => {
    const first = await identify(process.pid)
    expect(first).toEqual(await identify(process.pid))
    expect(first?.pid).toBe(process.pid)
    expect(first && (await isRunning(first))).toBe(true)
  })

  test('that has ended runs no more', async () => {
    const child = spawn('/bin/sh', ['-c', 'read line'])
    const identity = await identify(child.pid as number)
    expect(identity && (await isRunning(identity))).toBe(true)
    child.stdin.end()
    await once(child, 'exit')
    expect(identity && (await isRunning(identity))).toBe(false)
    expect(await identify(child.pid as number)).toBe(null)
  })

  test('that got the number of an earlier one is not the earlier one', async () => {
    expect(await isRunning({ pid: process.pid, began: 'another boot 1234' })).toBe(false)
  })

  test('is known by the folder it works in', async () => {
    await using folder = await openTestFolder()
    const child = spawn('/bin/sh', ['-c', 'echo ready; read line', folder.path], { cwd: folder.path })
    await once(child.stdout, 'data')
    expect(await worksIn(child.pid as number, folder.path)).toBe(true)
    expect(await worksIn(process.pid, folder.path)).toBe(false)
    child.stdin.end()
    await once(child, 'exit')
    expect(await worksIn(child.pid as number, folder.path)).toBe(false)
  })
})
