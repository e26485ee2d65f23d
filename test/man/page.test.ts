import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { optionEntries } from '../../lib/options.ts'

const inMan = (name: string) => fileURLToPath(new URL(`../../../man/${name}`, import.meta.url))
const PAGE = inMan('ganeti-rapi.8')

/** Runs a program over the page. */
function run(command: string, ...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(command, [...args, PAGE], { encoding: 'utf8' })
  return { status, stdout, stderr }
}

/** Why to skip a test: an option of `t.test`. */
function needs(command: string) {
  const { error } = spawnSync(command, ['-V'], { stdio: 'ignore' })
  return { skip: error ? `${command} is not installed` : false }
}

t.test('the manual page is what its template and the flag table make (else: npm run man)', async (t) => {
  const { stdout } = spawnSync(process.execPath, [inMan('make.js'), '--print'], { encoding: 'utf8' })
  t.equal(stdout, readFileSync(PAGE, 'utf8'))
})

t.test('the manual page has every flag and nothing left to fill in', async (t) => {
  const page = readFileSync(PAGE, 'utf8')
  for (const { names } of optionEntries()) {
    for (const name of names) t.match(page, new RegExp(`^\\.It .*\\bFl ${name.slice(1)}\\b`, 'm'), name)
  }
  t.notMatch(page, /@[A-Z]+@/)
})

t.test('mandoc finds nothing wrong with the manual page', needs('mandoc'), async (t) => {
  const { stdout } = run('mandoc', '-T', 'lint', '-W', 'all')
  // Whether pages of Ganeti's are on this machine says nothing about ours.
  const complaints = stdout.split('\n').filter((line) => !/^$|referenced manual not found/.test(line))
  t.same(complaints, [])
})

t.test('groff finds nothing wrong with the manual page', needs('groff'), async (t) => {
  t.same(run('groff', '-ww', '-mandoc', '-Tutf8', '-z'), { status: 0, stdout: '', stderr: '' })
})

t.test('man shows the manual page without a warning', needs('man'), async (t) => {
  const { stdout, stderr } = run('man', '--warnings', '-E', 'UTF-8', '-l')
  t.equal(stderr, '')
  t.match(stdout, /ganeti-rapi.*remote API daemon/)
})
