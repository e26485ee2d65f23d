/** The walk at the beginning of the reference, typed as it is printed. */
import { spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { DaemonRoot, fixture, outcome } from '../support/daemon-root.ts'

const page = readFileSync(fileURLToPath(new URL('../../../man/walk.md', import.meta.url)), 'utf8')

interface Step {
  readonly commands: string
  /** What they print; nothing, if nothing is said. */
  readonly printed: string
}

/** Commands are indented, and followed by what they print between lines of accents. */
const steps = [...page.matchAll(/((?:^ {4}.*\n)+)(?:\n```\n([\s\S]*?)```)?/gm)].map(
  ([, commands = '', printed = '']): Step => ({ commands: commands.replaceAll(/^ {4}/gm, ''), printed }),
)

/** Whether a text is what was printed, but for white space and for what is left out. */
function isPrinted(text: string, { printed }: Step): boolean {
  const parts = printed.split('…').map((part) => part.replaceAll(/\s+/g, ''))
  const pattern = parts.map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('.*')
  return new RegExp(`^${pattern}$`).test(text.replaceAll(/\s+/g, ''))
}

/** Older ones would need more words for a body. */
const knowsJson = spawnSync('curl', ['--json', '{}', '--version'], { stdio: 'ignore' }).status === 0

t.test('each step prints what the walk says', { skip: knowsJson ? false : 'curl is too old' }, async (t) => {
  const root = new DaemonRoot(t.testdir())
  t.teardown(() => root.end())
  root.fill('rclient secret write\n', { clusterYaml: readFileSync(fixture('cluster.yaml'), 'utf8') })
  t.equal((await root.start('-b', '127.0.0.1', '-p', '0')).status, 0)
  const here = (commands: string) =>
    commands
      .replaceAll('https://localhost:5080', `https://localhost:${new URL(root.origin).port}`)
      .replaceAll('certs/rapi.pem', root.pem)
      .replaceAll('sleep 1', 'sleep 0.05')

  const script = steps.map(({ commands }) => `${here(commands)}\nprintf '\\0'\n`).join('')
  const { status, stdout } = await outcome(spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'pipe'] }))
  t.equal(status, 0)
  const texts = stdout.split('\0')
  t.equal(texts.length, steps.length + 1)
  for (const [place, step] of steps.entries()) {
    t.ok(isPrinted(texts[place] ?? '', step), `${step.commands}${texts[place]}`)
  }
  t.ok(steps.length > 7)
})
