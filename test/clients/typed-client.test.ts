/**
 * A client written against the types that openapi-typescript makes from the
 * description of the API. Its compiler is TypeScript 5, which cannot be installed
 * beside ours, so npm runs both from its cache or the network.
 */
import { copyFileSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { DaemonRoot, fixture } from '../support/daemon-root.ts'
import { run, unless } from './programs.ts'

const project = (name: string) => fileURLToPath(new URL(`../../../${name}`, import.meta.url))
const IN_NPM = [
  'npm',
  'exec',
  '--yes',
  '--package=typescript@5.9.3',
  '--package=openapi-typescript@7.13.0',
  '--',
]
/** tap adds to the environment of every Node that it starts, which is no concern of npm's. */
const BARE = ['env', '-i', `PATH=${process.env.PATH}`, `HOME=${process.env.HOME}`]
const GENERATE = [...BARE, ...IN_NPM, 'openapi-typescript']

const compilerOptions = {
  strict: true,
  target: 'es2022',
  lib: ['es2022'],
  module: 'nodenext',
  types: ['node'],
  rewriteRelativeImportExtensions: true,
}

t.test(
  'a client compiles against the types made from the description, and drives the sample cluster',
  unless([...GENERATE, '--version'], 'npm, with access to its registry'),
  async (t) => {
    const folder = t.testdir({ root: {} })
    const at = (name: string) => join(folder, name)
    symlinkSync(project('node_modules'), at('node_modules'))
    copyFileSync(fixture('typed-client/client.ts'), at('client.ts'))
    writeFileSync(at('package.json'), '{"type": "module"}')
    writeFileSync(at('tsconfig.json'), JSON.stringify({ compilerOptions, files: ['client.ts'] }))
    const types = await run([
      ...GENERATE,
      project('man/openapi.json'),
      '--default-non-nullable=false',
      `--output=${at('api.ts')}`,
    ])
    t.equal(types.status, 0, types.stderr)
    const compiled = await run([...BARE, project('node_modules/.bin/tsc'), '--project', folder])
    t.equal(compiled.status, 0, compiled.stdout + compiled.stderr)

    const root = new DaemonRoot(at('root'))
    t.teardown(() => root.end())
    root.fill('writer writer-pw write\n', { clusterYaml: readFileSync(fixture('cluster.yaml'), 'utf8') })
    t.equal((await root.start('--no-ssl', '-b', '127.0.0.1', '-p', '0')).status, 0)
    const { status, stdout, stderr } = await run([process.execPath, at('client.js'), root.origin])
    t.equal(status, 0, stderr)
    t.equal(stdout, 'success\ntyped.example.com running [ 1024 ]\nsuccess\n')
  },
)
