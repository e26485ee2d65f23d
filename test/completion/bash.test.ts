import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { optionEntries } from '../../lib/options.ts'

const make = fileURLToPath(new URL('../../../completion/make.js', import.meta.url))
const { stdout: script } = spawnSync(process.execPath, [make], { encoding: 'utf8' })

/** What bash offers for the last of the words that it makes of a command line. */
function complete(words: readonly string[], folder: string): readonly string[] {
  const program = `${script}
    compopt() { :; } # only known while bash completes
    cd "$1" && shift
    COMP_WORDS=(ganeti-rapi "$@") COMP_CWORD=$#
    _ganeti_rapi && printf '%s\\n' "\${COMPREPLY[@]}"`
  // Of a bash that reads from a socket, as Node's children do, it would think that it came over a network.
  const { stdout, stderr } = spawnSync('bash', ['--norc', '-euc', program, 'bash', folder, ...words], {
    encoding: 'utf8',
  })
  t.equal(stderr, '')
  return stdout.split('\n').filter((line) => line !== '')
}

t.test('every option is offered', async (t) => {
  const offered = complete(['-'], '/')
  t.same(
    offered,
    optionEntries().flatMap(({ names }) => names),
  )
})

t.test('what is offered follows from what was typed', async (t) => {
  const folder = t.testdir({ 'cluster.yaml': '', 'clusters.d': {}, other: '' })
  const cases: readonly (readonly [typed: readonly string[], offered: readonly string[]])[] = [
    [['--ssl-c'], ['--ssl-cert', '--ssl-chain']],
    [['-f', '--req'], ['--require-authentication']],
    [
      ['--config', 'cl'],
      ['cluster.yaml', 'clusters.d'],
    ],
    [['--config', '=', 'cluster.'], ['cluster.yaml']],
    [
      ['--syslog', '='],
      ['no', 'yes', 'only'],
    ],
    [['--syslog', 'on'], ['only']],
    [['-K', 'oth'], ['other']],
    [['-i', 'l'], ['lo']],
    [['--port', ''], []],
    [['-b', '-'], []],
    [['--nothing-like-it'], []],
  ]
  for (const [typed, offered] of cases) t.same(complete(typed, folder), offered, typed.join(' '))
})
