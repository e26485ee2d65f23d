/**
 * What keeps the daemon from starting is said before the terminal is let go:
 * on standard error, with an exit status, and with nothing left behind.
 */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { makeCertificate } from '../support/certificate.ts'
import { DaemonRoot, fixture, outcome, PROGRAM, withBareEnvironment } from '../support/daemon-root.ts'

const root = new DaemonRoot(t.testdir())
root.fill('reader reader-pw read\n', { clusterYaml: readFileSync(fixture('cluster.yaml'), 'utf8') })
t.teardown(() => root.end())

const at = (name: string) => join(root.root, name)
makeCertificate(root.root, 'other')
writeFileSync(at('garbage'), '-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n')
writeFileSync(at('broken.yaml'), 'cluster: {name: c.example.com}\nnodes:\n  - a\n')
writeFileSync(at('mistakes.yaml'), 'cluster: {}\nnodes:\n  n1: {cpus: "8"}\n')
writeFileSync(at('broken.data'), '{"version": 3000000, "cluster": {}')
writeFileSync(at('old.data'), '{"version": 2050000}')

const taken = createServer()
await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
t.teardown(() => taken.close())
const { port: takenPort } = taken.address() as { port: number }

const usage = 'Usage: ganeti-rapi [-f] [-d] [-p port] [-b ADDRESS] [-i INTERFACE]\n\nganeti-rapi: error: '

/** Words of the command line ({} is the root folder), exit status, and all of standard error. */
type Case = readonly [line: string, status: number, stderr: string | RegExp]

const refusedAtOnce: readonly Case[] = [
  // Words that cannot be parsed, or mean nothing; test/options.test.ts has them all.
  ['--bogus', 2, `${usage}no such option: --bogus\n`],
  ['-p abc', 2, `${usage}option -p: invalid integer value: 'abc'\n`],
  [
    'start',
    1,
    `Usage: ${PROGRAM} [-f] [-d] [-p port] [-b ADDRESS]\n\nganeti-rapi: error: unexpected argument: 'start'\n`,
  ],
  ['-b nonsense', 1, "Invalid address 'nonsense'\n"],
  // Certificates that are missing, or not what they should be.
  [
    '-C {}/nosuch',
    1,
    /^SSL certificate file '(\S+\/nosuch)' was not found; to make one: openssl .* -out \1; or serve without TLS: --no-ssl\n$/,
  ],
  ['-K {}/nosuch', 1, /^SSL key file '\S+\/nosuch' was not found; -K must name .*\n$/],
  ['--ssl-chain {}/nosuch', 1, /^SSL chain file '\S+\/nosuch' was not found; --ssl-chain must name .*\n$/],
  ['-K {}/other.crt', 1, /^SSL key file '\S+\/other\.crt' holds no private key\n$/],
  ['-C {}/other.key', 1, /^SSL certificate file '\S+\/other\.key' .*\n$/],
  ['-C {}/garbage', 1, /^SSL certificate file '\S+\/garbage' .*\n$/],
  ['-K {}/other.key', 1, /^.*key.*certificate.*\n$/],
  ['-K a -K b -C c', 1, 'Each SSL key needs its certificate: 2 keys and 1 certificate are given\n'],
  [
    '-K {}/other.key -C {}/other.crt -K {}/other.pem -C {}/other.pem',
    1,
    /^SSL key files '\S+\/other\.key' and '\S+\/other\.pem' both hold a key of type EC: .*\n$/,
  ],
]

const refused: readonly Case[] = [
  // Cluster state that is missing or broken.
  [
    '-f --config {}/nosuch',
    1,
    / CRITICAL .*nosuch: no such file or directory \(ENOENT\); write one, in YAML .*--config\n$/,
  ],
  ['-f --config {}', 1, / CRITICAL .*\(EISDIR\); --config must name a file in it\n$/],
  ['-f --config {}/broken.yaml', 1, / CRITICAL .*broken\.yaml.*3.*\n$/],
  [
    '-f --config {}/mistakes.yaml',
    1,
    / CRITICAL \S+mistakes\.yaml: 1:1: the cluster needs a name\n.* CRITICAL \S+mistakes\.yaml: 3:14: cpus must .*, and is the text "8"\n$/,
  ],
  ['--config {}/mistakes.yaml', 1, /: \S+mistakes\.yaml: 1:1: .* name\n\S+mistakes\.yaml: 3:14: cpus .*\n$/],
  ['-f --config {}/broken.data', 1, / CRITICAL .*broken\.data.*not valid JSON.*\n$/],
  ['-f --config {}/old.data', 1, / CRITICAL .*2\.5 cannot be read, only 2\.6 to 3\.x\n$/],
  // Places where one cannot listen.
  ['-f -b 192.0.2.1', 1, / CRITICAL .*192\.0\.2\.1.*\(EADDRNOTAVAIL\); .* ip address\n$/],
  ['-f -i nosuch0', 1, / CRITICAL Network interface 'nosuch0' has no address\n$/],
  [`-f -b 127.0.0.1 -p ${takenPort}`, 1, / CRITICAL .*\(EADDRINUSE\); .* ss -ltnp .*-p\n$/],
  // What the copy without a terminal meets is told by the one that has it.
  [`-b 127.0.0.1 -p ${takenPort}`, 1, /^Error when starting daemon process: .*EADDRINUSE.*\n$/],
]

t.test('a bad start ends with a status and says why, and leaves nothing behind', async (t) => {
  const inTurn = async (cases: readonly Case[]) => {
    for (const [line, status, stderr] of cases) {
      const args = line.split(' ').map((word) => word.replace('{}', root.root))
      const ended = await root.run(...args)
      t.equal(ended.status, status, `${line}: status`)
      t.equal(ended.stdout, '', `${line}: nothing on standard output`)
      if (typeof stderr === 'string') t.equal(ended.stderr, stderr, `${line}: standard error`)
      else t.match(ended.stderr, stderr, `${line}: standard error`)
    }
  }
  // Those that get as far as the pid file would keep each other out.
  await Promise.all([inTurn(refusedAtOnce), inTurn(refused)])
  t.notOk(existsSync(root.pidFile), 'no pid file')
})

t.test('too few file descriptors are one line, and what to do', async (t) => {
  const command = withBareEnvironment(
    { GANETI_ROOTDIR: root.root },
    '-f',
    '--no-ssl',
    '-b',
    '127.0.0.1',
    '-p',
    '0',
  )
  // So few that not even the program's files can be read, and too few for its work.
  for (const limit of [24, 40, 64, 80]) {
    const child = spawn('bash', ['-c', 'ulimit -n "$0" && exec "$@"', String(limit), ...command])
    const { status, stderr } = await outcome(child)
    t.equal(status, 1, `${limit}`)
    t.match(stderr, /^(too many open files|only \d+ more files can be opened).*ulimit -n.*\n$/)
  }
  t.notOk(existsSync(root.pidFile))
})

t.test('a root folder must be an absolute path', async (t) => {
  const { status, stderr } = await outcome(
    spawn(PROGRAM, [], { env: { ...process.env, GANETI_ROOTDIR: 'var/empty' } }),
  )
  t.equal(status, 1)
  t.equal(stderr, "GANETI_ROOTDIR must be an absolute path, not 'var/empty'\n")
})

t.test('without any cluster state, both places it could be in are named', async (t) => {
  const empty = new DaemonRoot(t.testdir())
  empty.fill('', {})
  const { status, stderr } = await empty.run('-f', '-b', '127.0.0.1', '-p', '0')
  t.equal(status, 1)
  t.match(
    stderr,
    / CRITICAL .*neither \S+config\.data nor (\S+cluster\.yaml); write \1 .*, or name another file: --config\n$/,
  )
})

t.test('help and version need nothing that works', async (t) => {
  const empty = new DaemonRoot(t.testdir())
  for (const line of ['--version', '--vers --bogus']) {
    t.match(await empty.run(...line.split(' ')), {
      status: 0,
      stdout: /^ganeti-rapi \d+\.\d+\.\d+\n$/,
      stderr: '',
    })
  }
  for (const flag of ['--help', '-fh']) {
    t.match(await empty.run(flag), {
      status: 0,
      stdout: /^Usage: ganeti-rapi .*--require-authentication/s,
      stderr: '',
    })
  }
})
