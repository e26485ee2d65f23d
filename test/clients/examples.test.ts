/**
 * The usage examples of RAPI 1.2's documentation, word for word where their
 * languages still run: wget, Python's urllib (urllib2 then), and JavaScript as
 * a page would have it; with and without TLS. And curl, which everybody uses.
 */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { NEWEST } from '../../lib/model/version.ts'
import { DaemonRoot, fixture } from '../support/daemon-root.ts'
import { PYTHON, run, unless } from './programs.ts'

const folder = t.testdir({ plain: {}, tls: {} })
const plain = await serve(`${folder}/plain`, '--no-ssl')
const tls = await serve(`${folder}/tls`)

async function serve(root: string, ...options: string[]): Promise<DaemonRoot> {
  const daemon = new DaemonRoot(root)
  daemon.fill('reader reader-pw read\n', { clusterYaml: readFileSync(fixture('cluster.yaml'), 'utf8') })
  t.teardown(() => daemon.end())
  const { status, stderr } = await daemon.start('-b', '127.0.0.1', '-p', '0', ...options)
  if (status !== 0) throw new Error(stderr)
  return daemon
}

/** What /info says of the sample cluster, in the words of version 1.2. */
const INFO = {
  name: 'cluster1.example.com',
  master: 'node1.example.com',
  software_version: NEWEST.text,
  protocol_version: NEWEST.number,
  config_version: NEWEST.number,
  os_api_version: 20,
  export_version: 0,
  hypervisor_type: 'xen-pvm',
}

/** The same request twice; with TLS, the certificate is trusted in the program's own way. */
const examples: readonly [name: string, probe: readonly string[], pkg: string, requests: Requests][] = [
  [
    'wget',
    ['wget', '--version'],
    'wget',
    {
      plain: (url) => ['wget', '-q', '-O', '-', url],
      tls: (url, ca) => ['wget', '-q', '-O', '-', `--ca-certificate=${ca}`, url],
    },
  ],
  [
    'curl',
    ['curl', '--version'],
    'curl',
    {
      plain: (url) => ['curl', '-sS', '--fail', url],
      tls: (url, ca) => ['curl', '-sS', '--fail', '--compressed', '--cacert', ca, url],
    },
  ],
  [
    'Python',
    [PYTHON, '--version'],
    'python3',
    {
      plain: (url) => [
        PYTHON,
        '-c',
        `import urllib.request\nf = urllib.request.urlopen('${url}')\nprint(f.read().decode())`,
      ],
      tls: (url, ca) => [
        PYTHON,
        '-c',
        `import ssl, urllib.request\nf = urllib.request.urlopen('${url}', context=ssl.create_default_context(cafile='${ca}'))\nprint(f.read().decode())`,
      ],
    },
  ],
  [
    'JavaScript',
    [process.execPath, '--version'],
    'nodejs',
    {
      plain: (url) => [process.execPath, '--no-warnings', '-e', pageScript(url)],
      tls: (url) => [process.execPath, '--no-warnings', '-e', pageScript(url)],
    },
  ],
]

interface Requests {
  plain(url: string): readonly string[]
  tls(url: string, ca: string): readonly string[]
}

/** The request of the documentation's script, with the headers that a browser adds to it, and its eval. */
function pageScript(url: string): string {
  return `
    const headers = { Accept: '*/*', Origin: 'http://www.example.com', Referer: 'http://www.example.com/',
      'Accept-Language': 'en', 'User-Agent': 'Mozilla/5.0', 'Sec-Fetch-Mode': 'cors' }
    fetch('${url}', { headers }).then(async (response) => {
      if (response.status != 200) throw new Error('Error fetching cluster info')
      const info = eval('(' + (await response.text()) + ')')
      console.log(JSON.stringify(info))
    })`
}

for (const [name, probe, pkg, requests] of examples) {
  t.test(`${name} reads /info as version 1.2 documents it`, unless(probe, pkg), async (t) => {
    const { pem } = tls
    for (const command of [
      requests.plain(`${plain.origin}/info`),
      requests.tls(`${tls.origin.replace('127.0.0.1', 'localhost')}/info`, pem),
    ]) {
      const { status, stdout, stderr } = await run(command, { env: { NODE_EXTRA_CA_CERTS: pem } })
      t.equal(stderr, '', command.join(' '))
      t.equal(status, 0, command.join(' '))
      t.match(JSON.parse(stdout), INFO)
    }
  })
}

const unlessCurl = unless(['curl', '--version'], 'curl')

t.test('a client that does not trust the certificate gets nothing', unlessCurl, async (t) => {
  const { status, stdout } = await run(['curl', '-sS', `${tls.origin}/info`])
  t.equal(status, 60, 'CURLE_PEER_FAILED_VERIFICATION')
  t.equal(stdout, '')
})

t.test('curl keeps its connection from one request to the next', unlessCurl, async (t) => {
  const targets = ['/info', '/2/instances?bulk=1', '/nope', '/2']
  const requests = targets.flatMap((target) => ['-o', '/dev/null', tls.origin + target])
  const { stdout } = await run(['curl', '-sS', '--cacert', tls.pem, '-w', '%{num_connects} ', ...requests])
  t.equal(stdout, '1 0 0 0 ')
})
