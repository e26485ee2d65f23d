import { renameSync, rmSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { readNodeRole, watchNodeRole } from '../../lib/any-node/node-role.ts'
import { MemoryLog } from '../support/memory-log.ts'
import { until } from '../support/until.ts'

const files = {
  ssconf_master_node: 'node1.example.com\n',
  ssconf_master_ip: '192.0.2.100\n',
  ssconf_master_candidates: 'node1.example.com\nnode2.example.com\n',
  ssconf_node_primary_ips:
    'node1.example.com 192.0.2.1\nnode2.example.com 192.0.2.2\nnode3.example.com 192.0.2.3\n',
  ssconf_release_version: '3.0.2\n',
}

t.test('the files say what each node is', async (t) => {
  const dir = t.testdir(files)
  for (const [self, role] of [
    ['node1.example.com', 'master'],
    ['node2.example.com', 'candidate'],
    ['node3.example.com', 'other'],
    ['node1', 'other'],
  ] as const) {
    t.match(await readNodeRole(dir, self), {
      ...{ role, self, master: 'node1.example.com', masterAddress: '192.0.2.1' },
      version: { text: '3.0.2' },
      addresses: new Set(['192.0.2.1', '192.0.2.2', '192.0.2.3']),
    })
  }
})

t.test('without the addresses of the nodes, the master has that of the cluster, or none', async (t) => {
  const dir = t.testdir({ ...files, ssconf_node_primary_ips: '' })
  t.equal((await readNodeRole(dir, 'node2.example.com')).masterAddress, '192.0.2.100')
  rmSync(`${dir}/ssconf_master_ip`)
  t.equal((await readNodeRole(dir, 'node2.example.com')).masterAddress, undefined)
})

t.test('that there is no master is no role', async (t) => {
  await t.rejects(readNodeRole(t.testdir({}), 'node1'), { code: 'configuration', cause: { code: 'ENOENT' } })
  await t.rejects(readNodeRole(t.testdir({ ssconf_master_node: '\n' }), 'node1'), { code: 'configuration' })
})

t.test('a role changes with the files, and what it was stays while they cannot be read', async (t) => {
  const dir = t.testdir(files)
  const log = new MemoryLog()
  const watched = await watchNodeRole(dir, 'node2.example.com', log)
  t.teardown(() => watched.close())
  const replace = (text: string) => {
    writeFileSync(`${dir}/new`, text)
    renameSync(`${dir}/new`, `${dir}/ssconf_master_node`)
  }
  t.equal(watched.current.role, 'candidate')
  replace('node2.example.com\n')
  await until(() => watched.current.role === 'master')
  replace('\n')
  await until(() => watched.failure !== undefined)
  t.equal(watched.current.role, 'master')
  replace('node3.example.com\n')
  await until(() => watched.current.role === 'candidate')
  t.strictSame(
    log.lines.filter((line) => line.startsWith('INFO')),
    [
      'INFO This is node2.example.com, a master candidate; the master node is node1.example.com at 192.0.2.1',
      'INFO This is node2.example.com, the master node',
      'INFO This is node2.example.com, a master candidate; the master node is node3.example.com at 192.0.2.3',
    ],
  )
})
