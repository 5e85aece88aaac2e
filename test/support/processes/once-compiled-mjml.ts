/**
 * Loaded into every program of a test run before it starts (`--import`): the program that compiles mail templates then
 * finds those of the run that are compiled already. Starting a service would else spend most of its time on them.
 */
import { registerHooks } from 'node:module'

if (process.argv[1]?.endsWith('mjml-program.ts'))
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === 'mjml' && context.parentURL?.endsWith('mjml-program.ts')
        ? { url: new URL('compiled-mjml.ts', import.meta.url).href, shortCircuit: true }
        : next(specifier, context),
  })
