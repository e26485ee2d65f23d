/** The program as npm would pack and install it. */
import { execFileSync, spawn } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { outcome } from '../support/daemon-root.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const PARTS = [
  'bin',
  'lib',
  'man',
  'completion/make.js',
  'ui',
  'package.json',
  'tsconfig.json',
  'README.md',
  'LICENSE',
]

/** Copies what is needed to build, and nothing that was built. */
function copyOf(folder: string): string {
  for (const part of PARTS) cpSync(join(ROOT, part), join(folder, part), { recursive: true })
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  return folder
}

t.test('before it is built, the program says what to run', async (t) => {
  const folder = copyOf(t.testdir())
  const { status, stderr } = await outcome(spawn(join(folder, 'bin/ganeti-rapi'), ['--version']))
  t.equal(status, 1)
  t.equal(stderr, `ganeti-rapi has not been built yet. First run, in ${folder}: npm ci && npm run build\n`)
})

t.test('what npm packs is the whole program with manual and completion, and no maps', async (t) => {
  const folder = copyOf(t.testdir())
  // Without what the test runner adds to every Node.
  const bare = ['-i', `PATH=${process.env.PATH}`, `HOME=${folder}`]
  const npm = (...args: string[]) =>
    execFileSync('env', [...bare, 'npm', ...args], { cwd: folder, encoding: 'utf8' })
  npm('run', '--silent', 'prepack')
  // Without scripts: preparing the folder for development is not at issue.
  const archive = npm('pack', '--silent', '--ignore-scripts').trim()
  const installed = join(folder, 'installed')
  mkdirSync(installed)
  execFileSync('tar', ['-xzf', archive, '-C', installed], { cwd: folder })
  const program = join(installed, 'package')
  const files = readdirSync(program, { recursive: true, encoding: 'utf8' })
  t.strictSame(
    files.filter((file) => file.endsWith('.map') || /^(test|certs|debian)\b/.test(file)),
    [],
  )
  for (const file of [
    'man/ganeti-rapi.8',
    'completion/ganeti-rapi',
    'dist/ui/index.html',
    'README.md',
    'LICENSE',
  ]) {
    t.ok(files.includes(file), file)
  }
  symlinkSync(join(ROOT, 'node_modules'), join(program, 'node_modules'))
  const { status, stdout } = await outcome(spawn(join(program, 'bin/ganeti-rapi'), ['--version']))
  t.equal(status, 0)
  t.match(stdout, /^ganeti-rapi \d/)
})
