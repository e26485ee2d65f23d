import { mkdirSync, symlinkSync } from 'node:fs'
import t, { type Test } from 'tap'
import { defaultPaths, type Paths } from '../lib/paths.ts'
import { chooseSource, type Source } from '../lib/source.ts'

const HOST = 'node1.example.com'

/** A tree with these files below /var/lib/ganeti, on a machine that has or has not the socket folder of a node. */
function treeOf(t: Test, files: { readonly [name: string]: string }, sockets: boolean) {
  const root = t.testdir({ var: { lib: { ganeti: { ...files } } } })
  const paths = defaultPaths(root)
  if (sockets) mkdirSync(paths.socketDir, { recursive: true })
  return paths
}

/** The master daemon of a node. */
function masterSource({ querySocket, masterSocket, queueDir, configData, ssconfDir }: Paths): Source {
  const files = { queue: queueDir, config: configData, master: `${ssconfDir}/ssconf_master_node` }
  return { kind: 'master', sockets: [querySocket, masterSocket], files }
}

const node = { ssconf_cluster_name: 'cluster.example.com\n', ssconf_master_node: `${HOST}\n` }

t.test('state comes from the named file, the master daemon of a node, or a default file', async (t) => {
  const cases: [what: string, files: { [name: string]: string }, sockets: boolean, kind: Source['kind']][] = [
    ['nothing at all', {}, false, 'file'],
    ['a file', { 'config.data': '{}' }, false, 'file'],
    ['files copied from a node', { ...node, 'config.data': '{}' }, false, 'file'],
    ['Ganeti installed, and a file written by hand', { 'cluster.yaml': '' }, true, 'file'],
    ['a master node', { ...node, 'config.data': '{}' }, true, 'master'],
  ]
  for (const [what, files, sockets, kind] of cases) {
    await t.test(what, async (t) => {
      const paths = treeOf(t, files, sockets)
      t.strictSame(
        chooseSource(undefined, paths, HOST),
        kind === 'file' ? { kind, files: [paths.configData, paths.clusterYaml] } : masterSource(paths),
      )
      t.strictSame(chooseSource('/named', paths, HOST), { kind: 'file', files: ['/named'] })
    })
  }
})

t.test('what is no master node does not serve, with the exit status of the original', async (t) => {
  const cases: [what: string, files: { [name: string]: string }, status: number, message: RegExp][] = [
    ['a node in no cluster', {}, 12, /^This node is in no cluster/],
    ['another node', { ...node, ssconf_master_node: 'node2.example.com\n' }, 11, /node2\.example\.com$/],
    [
      'no master named',
      { ssconf_cluster_name: 'c\n', 'config.data': '{}' },
      12,
      /^Cluster configuration incomplete/,
    ],
    ['an empty name', { ssconf_master_node: '\n' }, 12, /^Cluster configuration incomplete.* is empty$/],
  ]
  for (const [what, files, status, message] of cases) {
    await t.test(what, async (t) => {
      const paths = treeOf(t, files, true)
      t.throws(() => chooseSource(undefined, paths, HOST), { status, message })
      t.doesNotThrow(() => chooseSource('/named', paths, HOST), 'but a named file is served')
    })
  }
})

t.test('any node of a cluster serves if it shall, but nothing else', async (t) => {
  const other = treeOf(t, { ...node, ssconf_master_node: 'node2.example.com\n' }, true)
  t.strictSame(chooseSource(undefined, other, HOST, true), masterSource(other))
  for (const [what, files, hasSockets, status] of [
    ['no node', { ...node, 'config.data': '{}' }, false, undefined],
    ['a node in no cluster', { 'config.data': '{}' }, true, 12],
    ['no master named', { ssconf_cluster_name: 'c\n' }, true, 12],
  ] as const) {
    await t.test(what, async (t) => {
      const refused = { code: 'configuration', ...(status && { status }) }
      t.throws(() => chooseSource(undefined, treeOf(t, files, hasSockets), HOST, true), refused)
    })
  }
})

t.test('a name that cannot be read is no name', async (t) => {
  const paths = treeOf(t, { ssconf_cluster_name: 'c\n' }, true)
  symlinkSync('ssconf_master_node', `${paths.ssconfDir}/ssconf_master_node`)
  t.throws(() => chooseSource(undefined, paths, HOST), { status: 12, cause: { code: 'ELOOP' } })
})
