import { describe, expect, it } from 'vitest'
import { readAddress } from '../../../src/core/subscriber/address.ts'
import { likelyAddress } from '../../../src/core/subscriber/address-typo.ts'

describe('a likely typing error', () => {
  it.each([
    ['ada@gmial.com', 'ada@gmail.com'],
    ['ada@gamil.com', 'ada@gmail.com'],
    ['ada@gmai.com', 'ada@gmail.com'],
    ['ada@gmaill.com', 'ada@gmail.com'],
    ['ada@gnail.com', 'ada@gmail.com'],
    ['ada@gmail.con', 'ada@gmail.com'],
    ['ada@gmail.co', 'ada@gmail.com'],
    ['ada@gmail.cm', 'ada@gmail.com'],
    ['ada@gmail.vom', 'ada@gmail.com'],
    ['ada@gmail.comm', 'ada@gmail.com'],
    ['ada@gmial.con', 'ada@gmail.com'],
    ['Ada.L+x@gmail.de', 'Ada.L+x@gmail.com'],
    ['ada@hotmial.com', 'ada@hotmail.com'],
    ['ada@hotmal.com', 'ada@hotmail.com'],
    ['ada@hotmial', null],
    ['ada@hotmai.co.uk', 'ada@hotmail.co.uk'],
    ['ada@outlok.com', 'ada@outlook.com'],
    ['ada@outllok.com', 'ada@outlook.com'],
    ['ada@yaho.com', 'ada@yahoo.com'],
    ['ada@yahoo.con', 'ada@yahoo.com'],
    ['ada@iclod.com', 'ada@icloud.com'],
    ['ada@protonmial.com', 'ada@protonmail.com'],
    ['ada@uni-bonn.con', 'ada@uni-bonn.com'],
    ['ada@mit.edi', 'ada@mit.edu'],
    ['ada@acm.ogr', 'ada@acm.org'],
  ])('of %s is %s', (address, meant) => {
    expect(likelyAddress(address)).toBe(meant)
  })

  it.each([
    'ada@gmail.com ada@googlemail.com ada@mail.com ada@email.com ada@ymail.com ada@hotmail.de ada@hotmail.it',
    'ada@hotmail.co.uk ada@outlook.de ada@outlook.fr ada@yahoo.co.jp ada@yahoo.de ada@icloud.com ada@me.com',
    'ada@cloud.com ada@live.com ada@love.com ada@aol.com ada@gmx.de ada@gmx.net ada@web.de ada@qq.com ada@163.com',
    'ada@126.com ada@proton.me ada@pm.me ada@protonmail.com ada@fastmail.fm ada@mit.edu ada@ethz.ch ada@cnrs.fr',
    'ada@tsinghua.edu.cn ada@u-tokyo.ac.jp ada@iitb.ac.in ada@gmail.example.org ada@google.com ada@example.org',
    'ada@cam.ac.uk ada@unicamp.br ada@nus.edu.sg ada@startup.co ada@lab.cm ada@deepmind.com ada@openai.com',
  ])('is none of %s', (addresses) => {
    expect(addresses.split(' ').filter((address) => likelyAddress(address) !== null)).toEqual([])
  })

  it('is never a reason to refuse: even what ends with .con is taken', () => {
    for (const address of ['ada@gmial.com', 'ada@gmail.con', 'ada@mit.edi']) {
      expect(readAddress(address)).toEqual({ address })
    }
  })
})
