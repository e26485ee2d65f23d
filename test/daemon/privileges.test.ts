import { execFileSync } from 'node:child_process'
import { chmodSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { commandAs, findUser, type User, userToBecome } from '../../lib/daemon/privileges.ts'
import { messageChain } from '../../lib/failure.ts'

const isRoot = process.getuid?.() === 0
const needsRoot = isRoot ? {} : { skip: 'only root can become someone else' }
const nobody = findUser('nobody') as User

t.test('users are found by name with their ids', (t) => {
  t.strictSame(findUser('root'), { name: 'root', uid: 0, gid: 0 })
  t.equal(findUser('no-such-user-here'), undefined)
  t.end()
})

t.test('if the user database cannot be queried, the start fails', (t) => {
  const path = process.env.PATH
  t.teardown(() => {
    process.env.PATH = path
  })
  process.env.PATH = t.testdir()
  t.throws(() => findUser('root'), { code: 'configuration', message: /look up the user 'root'/ })
  t.end()
})

t.test('only root switches to another user', (t) => {
  t.strictSame(userToBecome('nobody'), isRoot ? nobody : undefined)
  t.equal(userToBecome('no-such-user-here'), undefined)
  t.end()
})

t.test(
  'a command as a user has its ids and groups, no capability, and no way to gain one',
  needsRoot,
  (t) => {
    for (const port of [0, 5080, 65535]) {
      const { ids, groups, capabilities, noNewPrivileges } = statusAs(nobody, port)
      t.strictSame(ids, { Uid: Array(4).fill(nobody.uid), Gid: Array(4).fill(nobody.gid) })
      t.strictSame(groups, groupsOf(nobody.name))
      t.strictSame(capabilities, { CapInh: NONE, CapPrm: NONE, CapEff: NONE, CapAmb: NONE })
      t.equal(noNewPrivileges, '1')
    }
    t.end()
  },
)

const anyPort = isRoot && Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8')) <= 1
const needsRootForPort = anyPort ? { skip: 'any user may listen on any port here' } : needsRoot

t.test('a privileged port gives only the capability to listen on it', needsRootForPort, (t) => {
  const { ids, capabilities } = statusAs(nobody, 1)
  t.strictSame(ids.Uid, Array(4).fill(nobody.uid))
  t.strictSame(capabilities, { CapInh: LISTEN, CapPrm: LISTEN, CapEff: LISTEN, CapAmb: LISTEN })
  t.end()
})

t.test('a command that cannot be run as a user is refused', needsRoot, (t) => {
  const dir = t.testdir({ secret: '' })
  chmodSync(join(dir, 'secret'), 0o600)
  const command = (user = nobody, script = '/') => commandAs(user, ['true'], script, 0)
  t.throws(() => command({ name: 'no-such-user-here', uid: 1, gid: 1 }), {
    code: 'configuration',
    message: /^cannot become the user 'no-such-user-here' with setpriv: setpriv: .*no-such-user-here.*$/,
  })
  t.throws(() => command(nobody, join(dir, 'secret')), {
    code: 'configuration',
    message: `cannot become the user '${nobody.name}' with setpriv: it may not read '${join(dir, 'secret')}'`,
  })
  const path = process.env.PATH
  t.teardown(() => {
    process.env.PATH = path
  })
  process.env.PATH = t.testdir()
  try {
    command()
    t.fail('there is no setpriv')
  } catch (error) {
    t.equal(
      messageChain(error),
      `cannot become the user '${nobody.name}' with setpriv, of util-linux: no such file or directory (ENOENT)`,
    )
  }
  t.end()
})

const NONE = '0'.repeat(16)
/** CAP_NET_BIND_SERVICE is number 10. */
const LISTEN = (1 << 10).toString(16).padStart(16, '0')

/** What the kernel says of a command as a user. */
function statusAs(user: User, port: number) {
  const [program, ...args] = commandAs(user, ['cat', '/proc/self/status'], '/', port)
  const status = execFileSync(program, args, { encoding: 'utf8' })
  const line = (name: string) => new RegExp(`^${name}:\\s*(.*?)\\s*$`, 'm').exec(status)?.[1] ?? ''
  const numbers = (name: string) => line(name).split(/\s+/).map(Number)
  return {
    ids: { Uid: numbers('Uid'), Gid: numbers('Gid') },
    groups: numbers('Groups').sort((a, b) => a - b),
    capabilities: {
      CapInh: line('CapInh'),
      CapPrm: line('CapPrm'),
      CapEff: line('CapEff'),
      CapAmb: line('CapAmb'),
    },
    noNewPrivileges: line('NoNewPrivs'),
  }
}

function groupsOf(name: string): number[] {
  const ids = execFileSync('id', ['-G', name], { encoding: 'utf8' }).trim().split(' ')
  return ids.map(Number).sort((a, b) => a - b)
}
