/** A process that tries to own the data folder it is given, says what came of it, and keeps what it has until killed. */
import { claimDataFolder } from '../../../src/adapters/postgres/data-folder.ts'

const [folder = ''] = process.argv.slice(2)
process.stdin.resume()
process.stdin.once('data', async () => {
  try {
    const claim = await claimDataFolder(folder, 'service')
    console.log(claim.kind)
  } catch (error) {
    console.log(`refused: ${(error as Error).message}`)
  }
})
console.log('ready')
