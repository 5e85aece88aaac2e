/** The operator's commands: `npm run admin -- <command>`. They work beside a running service and without one. */
import { createAdminProgram } from './admin/program.ts'
import { endWith, ignoreClosedOutput } from './exit.ts'

ignoreClosedOutput()
const { program, json } = createAdminProgram(process.env)

try {
  await program.parseAsync()
} catch (error) {
  endWith(error, json())
}
