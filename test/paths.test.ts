import t from 'tap'
import { Failure } from '../lib/failure.ts'
import { defaultPaths } from '../lib/paths.ts'

const DEBIAN = {
  rapiPem: '/var/lib/ganeti/rapi.pem',
  users: '/var/lib/ganeti/rapi/users',
  log: '/var/log/ganeti/rapi-daemon.log',
  auditLog: '/var/log/ganeti/rapi-audit.log',
  pidFile: '/var/run/ganeti/ganeti-rapi.pid',
  anyNodePidFile: '/var/run/ganeti/ganeti-rapi-any-node.pid',
  configData: '/var/lib/ganeti/config.data',
  queueDir: '/var/lib/ganeti/queue',
  clusterYaml: '/var/lib/ganeti/cluster.yaml',
  ssconfDir: '/var/lib/ganeti',
  socketDir: '/var/run/ganeti/socket',
  querySocket: '/var/run/ganeti/socket/ganeti-query',
  masterSocket: '/var/run/ganeti/socket/ganeti-master',
}

t.test('without a root folder the paths are those of Debian', (t) => {
  t.strictSame(defaultPaths(undefined), DEBIAN)
  t.strictSame(defaultPaths(''), DEBIAN)
  t.strictSame(defaultPaths('/'), DEBIAN)
  t.end()
})

t.test('a root folder is put before every path', (t) => {
  const moved = Object.fromEntries(Object.entries(DEBIAN).map(([name, path]) => [name, `/srv/test${path}`]))
  t.strictSame(defaultPaths('/srv/test'), moved)
  t.strictSame(defaultPaths('/srv//x/../test/'), moved)
  t.end()
})

t.test('a root folder must be absolute', (t) => {
  t.throws(
    () => defaultPaths('srv/test'),
    new Failure('configuration', "GANETI_ROOTDIR must be an absolute path, not 'srv/test'"),
  )
  t.end()
})
