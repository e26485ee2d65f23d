/**
 * Ganeti's own planning tools (Debian: ganeti-htools), which read a cluster
 * through the remote API: `-m https://HOST:PORT`. What they make of a cluster
 * shows whether they understood what they read.
 */
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { DaemonRoot, fixture } from '../support/daemon-root.ts'
import { run, unless } from './programs.ts'

const here = unless(['hinfo', '--version'], 'ganeti-htools')

/** Four instances that could be spread better over three nodes; small, as hspace takes long to fill large ones. */
const LOPSIDED = `
cluster: {name: c.example.com, enabled_disk_templates: [drbd], tags: [lopsided]}
nodes:
  n1: {primary_ip: 192.0.2.1, memory: 16g, disk: 200g, cpus: 4}
  n2: {primary_ip: 192.0.2.2, memory: 16g, disk: 200g, cpus: 4, node_memory: 1g}
  n3: {primary_ip: 192.0.2.3, memory: 16g, disk: 200g, cpus: 4}
instances:
  a: {os: debian, pnode: n1, snode: n2, memory: 2g, vcpus: 2, disks: [20g]}
  b: {os: debian, pnode: n1, snode: n2, memory: 2g, vcpus: 2, disks: [20g]}
  c: {os: debian, pnode: n1, snode: n2, memory: 2g, vcpus: 2, disks: [20g]}
  d: {os: debian, pnode: n1, snode: n2, memory: 2g, vcpus: 2, disks: [20g]}
`

async function serve(
  t: Test,
  state: Parameters<DaemonRoot['fill']>[1],
  ...options: readonly string[]
): Promise<DaemonRoot> {
  const root = new DaemonRoot(mkdtempSync(join(t.testdir(), 'root-')))
  root.fill('reader reader-pw read\nviewer viewer-pw @readonly\n', state)
  t.teardown(() => root.end())
  t.equal((await root.start('-b', '127.0.0.1', '-p', '0', ...options)).status, 0)
  return root
}

/** Runs a tool that is to succeed without a word of complaint; gives what it prints. */
async function printed(t: Test, ...command: string[]): Promise<string> {
  const { status, stdout, stderr } = await run(command)
  t.equal(stderr, '', `${command.join(' ')}: no complaints`)
  t.equal(status, 0, `${command.join(' ')}: status`)
  return stdout
}

t.test('a cluster in YAML', here, async (t) => {
  const { origin } = await serve(t, { clusterYaml: LOPSIDED })

  await t.test('hinfo reads all of it', async (t) => {
    const text = await printed(t, 'hinfo', '-m', origin)
    t.match(text, /^Loaded cluster tags: lopsided$/m)
    t.match(text, /^Loaded 3 nodes, 4 instances, 1 node group$/m)
    t.match(text, /^Cluster is N\+1 happy$/m)
  })

  await t.test('hbal finds how to spread its instances better', async (t) => {
    const text = await printed(t, 'hbal', '-m', origin)
    t.match(text, /^Initial check done: 0 bad nodes, 0 bad instances\.$/m)
    t.match(text, /^ +1\. [abcd] n1:n2 => /m)
    t.match(text, /^Cluster score improved from /m)
  })

  await t.test('hcheck finds it sound', async (t) => {
    t.match(await printed(t, 'hcheck', '-m', origin), /no problems found/)
  })

  await t.test('hspace counts its memory, disks and CPUs as the file does', async (t) => {
    const text = await printed(t, 'hspace', '--machine-readable', '-m', origin)
    const values = Object.fromEntries(text.split('\n').map((line) => line.split('=')))
    t.match(values, {
      HTS_CLUSTER_MEM: String(3 * 16384),
      HTS_CLUSTER_DSK: String(3 * 204800),
      HTS_CLUSTER_CPU: '12',
      HTS_CLUSTER_NODES: '3',
      HTS_INI_INST_CNT: '4',
      HTS_INI_MEM_FREE: String(3 * 16384 - 1024 - 4 * 2048),
      // Twice, for DRBD, with 128 MiB of metadata each.
      HTS_INI_DSK_FREE: String(3 * 204800 - 4 * 2 * (20480 + 128)),
      HTS_INI_CPU_INST: '8',
      HTS_TSPEC_INI_DISK_TEMPLATE: 'drbd',
      HTS_OK: '1',
    })
  })

  await t.test('hscan writes it down so that others can load it', async (t) => {
    const folder = t.testdir()
    const text = await printed(t, 'hscan', '-d', folder, origin)
    t.match(text, / +3 +4 +0 +0 +49152 /)
    const [file = ''] = readdirSync(folder)
    t.match(await printed(t, 'hinfo', '-t', join(folder, file)), /^Loaded 3 nodes, 4 instances/m)
  })

  await t.test('a user name and a password may stand in the URL, and must be right', async (t) => {
    const withUser = (user: string) => origin.replace('//', `//${user}@`)
    t.match(await printed(t, 'hinfo', '-m', withUser('reader:reader-pw')), /Loaded 3 nodes/)
    const { status, stderr } = await run(['hinfo', '-m', withUser('reader:wrong')])
    t.equal(status, 1)
    t.match(stderr, /CurlHttpReturnedError/)
  })
})

t.test('a user with the role @readonly may use them where reads are closed', here, async (t) => {
  for (const option of ['--require-authentication', '--anonymous-reads=no']) {
    const { origin } = await serve(t, { clusterYaml: LOPSIDED }, option)
    const asViewer = origin.replace('//', '//viewer:viewer-pw@')
    t.match(await printed(t, 'hinfo', '-m', asViewer), /^Loaded 3 nodes, 4 instances, 1 node group$/m)
    t.match(await printed(t, 'hbal', '-m', asViewer), /^Cluster score improved from /m)
    t.equal((await run(['hinfo', '-m', origin])).status, 1, 'a stranger may not')
  }
})

t.test('the sample cluster, of which a node is offline', here, async (t) => {
  const { origin } = await serve(t, { clusterYaml: readFileSync(fixture('cluster.yaml'), 'utf8') })
  t.match(await printed(t, 'hinfo', '-m', origin), /^Loaded 5 nodes, 8 instances, 2 node groups$/m)
  t.match(await printed(t, 'hbal', '-G', 'default', '-m', origin), /^Group size 3 nodes, 5 instances$/m)
  t.match(
    await printed(t, 'hspace', '-l', '1', '-m', origin),
    /^There are 8 initial instances on the cluster\.$/m,
  )
  // What hcheck calls problems are instances whose node is offline.
  const { status, stdout, stderr } = await run(['hcheck', '-m', origin])
  t.equal(status, 1)
  t.equal(stderr, '')
  t.match(stdout, /Instances having the primary node offline: 2/)
})

t.test('a config.data alone is not enough, as its nodes say nothing', here, async (t) => {
  const configData = readFileSync(fixture('real-cluster/config.data'), 'utf8')
  const { origin } = await serve(t, { configData })
  for (const tool of ['hinfo', 'hbal', 'hspace', 'hcheck']) {
    const { status, stderr } = await run([tool, '-m', origin])
    t.equal(status, 1, tool)
    // The words they have for a cluster whose nodes do not answer.
    t.match(stderr, /Node 'node1\.example\.com', error while parsing data: key 'mtotal'/, tool)
  }
})
