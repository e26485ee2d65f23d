import { chmod, rename, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type ClientLimits, LuxiClient } from '../../../lib/backend/luxi/client.ts'
import type { Json } from '../../../lib/json/json.ts'
import { eventually } from '../../support/daemon-root.ts'
import { deferred, END, refuse, type Script, scriptedMaster, socketDir } from './scripted-master.ts'

async function clientOf(t: Test, script: Script, limits: Partial<ClientLimits> = {}) {
  const master = await scriptedMaster(t, script)
  const client = new LuxiClient([master.path], { limits })
  t.teardown(() => client.close())
  return { master, client }
}

const echo: Script = ({ method, args }) => [method, ...args]
/** Longer than anything here takes. */
const LONG = 30_000

t.test('a call is sent as Ganeti frames it, and gives the result', async (t) => {
  const { master, client } = await clientOf(t, echo)
  t.same(await client.read('QueryTags', ['node', 'n1']), ['QueryTags', 'node', 'n1'])
  t.same(await client.change('SubmitJob', [[{ long: 1795324262246252033n }]]), [
    'SubmitJob',
    [{ long: 1795324262246252033n }],
  ])
  t.match(master.asked[0], { method: 'QueryTags', args: ['node', 'n1'] })
})

t.test('each call is told for debugging, with its time and size but not what was sent', async (t) => {
  const master = await scriptedMaster(t, echo)
  const lines: string[] = []
  const client = new LuxiClient([master.path], { debug: (line) => lines.push(line) })
  t.teardown(() => client.close())
  await client.read('Query', ['instance', ['name'], null])
  await client.change('SubmitJob', [
    [{ OP_ID: 'OP_INSTANCE_CREATE', osparams_secret: { password: 'xyzzy' } }],
  ])
  t.match(lines, [
    /^Master daemon: Query "instance" answered in \d+\.\d ms, \d+ bytes$/,
    /^Master daemon: SubmitJob answered in \d+\.\d ms, \d+ bytes$/,
  ])
  t.notMatch(lines.join(), 'xyzzy')
})

t.test("the master daemon's refusals are Failures, and leave the connection in use", async (t) => {
  const { master, client } = await clientOf(t, ({ method }) =>
    method === 'Good' ? 1 : refuse(['OpPrereqError', ['Node name n9 not found', 'unknown_entity']]),
  )
  await t.rejects(client.read('Bad', []), { code: 'not-found', message: 'Node name n9 not found' })
  t.equal(await client.read('Good', []), 1)
  t.equal(master.connections, 1)
})

t.test('reads one after the other use one connection', async (t) => {
  const { master, client } = await clientOf(t, echo)
  for (let count = 0; count < 5; count++) await client.read('QueryTags', [count])
  t.equal(master.connections, 1)
})

t.test('a connection that was closed meanwhile is replaced, and the read made again', async (t) => {
  const { master, client } = await clientOf(t, echo)
  await client.read('QueryTags', [1])
  master.hangUp()
  t.same(await client.read('QueryTags', [2]), ['QueryTags', 2])
  t.equal(master.connections, 2)
})

t.test('a read whose kept connection breaks under it is made again, once', async (t) => {
  let breaks = 0
  const { master, client } = await clientOf(t, ({ method, socket }) => {
    if (method === 'Break' && breaks-- > 0) {
      socket.destroy()
      return undefined
    }
    return method
  })
  await client.read('Good', [])
  breaks = 1
  t.equal(await client.read('Break', []), 'Break')
  t.same(master.methods, ['Good', 'Break', 'Break'])
  breaks = 2
  await t.rejects(client.read('Break', []), { code: 'bad-answer' })
  t.same(master.methods, ['Good', 'Break', 'Break', 'Break', 'Break'])
})

t.test('a change is never sent twice, and never over a connection that was kept', async (t) => {
  const { master, client } = await clientOf(t, ({ method, socket }) => {
    if (method !== 'SubmitJob') return method
    socket.destroy()
    return undefined
  })
  await client.read('Good', [])
  await t.rejects(client.change('SubmitJob', [[]]), {
    code: 'bad-answer',
    message: 'The master daemon closed the connection without a whole answer',
  })
  t.same(
    master.asked.map(({ method, connection }) => [method, connection]),
    [
      ['Good', 1],
      ['SubmitJob', 2],
    ],
  )
})

t.test('identical reads that come while one is under way share the next', async (t) => {
  const answers = [deferred<number>(), deferred<number>()]
  let count = 0
  const { master, client } = await clientOf(t, async ({ method }) =>
    method === 'QueryClusterInfo' ? answers[count++]?.promise : method,
  )
  const first = client.read('QueryClusterInfo', [])
  const others = [1, 2, 3].map(() => client.read('QueryClusterInfo', []))
  const another = client.read('QueryTags', ['cluster', ''])
  t.equal(await another, 'QueryTags', 'a different one does not wait')
  answers[0]?.resolve(1)
  t.equal(await first, 1)
  answers[1]?.resolve(2)
  t.same(await Promise.all(others), [2, 2, 2])
  t.equal(master.methods.filter((method) => method === 'QueryClusterInfo').length, 2)
})

t.test('answers that cannot be understood are told, and end the connection', async (t) => {
  const answers: [bytes: string, what: string][] = [
    [`garbage${END}`, 'no JSON'],
    [`{"success":true}${END}`, 'half an answer'],
    [END, 'nothing'],
  ]
  for (const [bytes, what] of answers) {
    const { client } = await clientOf(t, ({ socket }) => {
      socket.write(bytes)
      return undefined
    })
    await t.rejects(client.read('QueryTags', []), { code: 'bad-answer' }, what)
    await t.rejects(client.change('SubmitJob', []), { code: 'bad-answer' }, what)
  }
})

t.test('half a message and no more is told as such, and not asked for again', async (t) => {
  const { master, client } = await clientOf(t, ({ method, socket }) => {
    if (method === 'Good') return 1
    socket.end('{"success":tr')
    return undefined
  })
  await client.read('Good', [])
  await t.rejects(client.read('Half', []), {
    code: 'bad-answer',
    message: 'The master daemon closed the connection without a whole answer',
  })
  t.same(master.methods, ['Good', 'Half'])
})

t.test('bytes after an answer end the connection, not the call', async (t) => {
  const { master, client } = await clientOf(t, ({ socket, connection }) => {
    if (connection > 1) return 'clean'
    socket.write(`{"success":true,"result":"answer"}${END}more`)
    return undefined
  })
  t.equal(await client.read('A', []), 'answer')
  t.equal(await client.read('B', []), 'clean')
  t.equal(master.connections, 2)
})

t.test('no answer in time is told, and the late answer is not taken for that of another call', async (t) => {
  const late = deferred()
  const { client } = await clientOf(
    t,
    async ({ method }) => {
      if (method === 'Slow') await late.promise
      return method
    },
    { answer: 50 },
  )
  await t.rejects(client.read('Slow', []), {
    code: 'no-answer',
    message: 'The master daemon did not answer in time',
  })
  late.resolve()
  // Where this machine is slow, so is another call.
  t.equal(await eventually(() => client.read('Fast', [])), 'Fast')
})

t.test('the time for an answer includes the waiting for a turn', async (t) => {
  const { master, client } = await clientOf(t, () => undefined, { answer: 1000, calls: 1 })
  // All at one moment: one that came later would have a little time left when its turn comes.
  const moment = performance.now()
  const clock = t.capture(performance, 'now', () => moment)
  const calls = [client.read('A', []), client.read('B', []), client.change('C', [])]
  clock.restore()
  await Promise.all(calls.map((call) => t.rejects(call, { code: 'no-answer' })))
  t.same(master.methods, ['A'], 'what was never sent never took effect')
})

t.test('at most so many calls are under way at once', async (t) => {
  const answer = deferred()
  const { master, client } = await clientOf(
    t,
    async ({ method }) => {
      await answer.promise
      return method
    },
    { calls: 2 },
  )
  const calls = ['A', 'B', 'C', 'D'].map((method) => client.read(method, []))
  await master.heard(2)
  t.equal(master.open, 2)
  answer.resolve()
  t.same(await Promise.all(calls), ['A', 'B', 'C', 'D'])
  t.ok(master.connections <= 3, 'and connections are used again')
})

t.test('a read that waits for its turn is dropped once nobody waits for it', async (t) => {
  const over = deferred()
  const { master, client } = await clientOf(
    t,
    async ({ method }) => {
      await over.promise
      return method
    },
    { calls: 1 },
  )
  const first = client.read('First', [])
  await master.heard(1)
  const clients = [new AbortController(), new AbortController()]
  const [unwanted, wanted] = [new AbortController(), new AbortController()]
  const dropped = client.read('Dropped', [], unwanted.signal)
  const shared = clients.map(({ signal }) => client.read('Shared', [], signal))
  const last = client.read('Last', [], wanted.signal)
  unwanted.abort(new Error('hung up'))
  clients[0]?.abort(new Error('hung up'))
  await t.rejects(dropped, { message: 'hung up' })
  await t.rejects(
    shared[0] as Promise<Json>,
    { message: 'hung up' },
    'it was the first, and alone in its call',
  )
  over.resolve()
  t.same(await Promise.all([first, shared[1], last]), ['First', 'Shared', 'Last'])
  t.same(master.methods.slice().sort(), ['First', 'Last', 'Shared'])
})

t.test('an answer beyond its bytes is received no further', async (t) => {
  const { master, client } = await clientOf(t, ({ method }) => 'x'.repeat(method === 'Long' ? 1e6 : 10))
  await t.rejects(client.read('Long', [], undefined, 1000), { code: 'too-large' })
  t.equal(await client.read('Short', [], undefined, 1000), 'xxxxxxxxxx')
  t.equal(master.connections, 2)
})

t.test('waits stand in nobody’s way', async (t) => {
  const over = deferred()
  const { client } = await clientOf(
    t,
    async ({ method }) => {
      if (method === 'WaitForJobChange') await over.promise
      return method
    },
    { calls: 1 },
  )
  const waits = Array.from({ length: 20 }, () => client.wait('WaitForJobChange', [], LONG))
  t.equal(await client.read('QueryTags', []), 'QueryTags')
  over.resolve()
  t.same(new Set(await Promise.all(waits)), new Set(['WaitForJobChange']))
})

t.test('a wait whose client hangs up frees its connection', async (t) => {
  const { master, client } = await clientOf(t, () => undefined)
  const gone = new AbortController()
  const wait = client.wait('WaitForJobChange', [], LONG, gone.signal)
  await master.heard(1)
  const [{ socket } = {}] = master.asked
  const closed = new Promise((resolve) => socket?.on('close', resolve))
  gone.abort(new Error('hung up'))
  await t.rejects(wait, { message: 'hung up' })
  await closed
  t.equal(master.open, 0)
  await t.rejects(client.wait('WaitForJobChange', [], LONG, gone.signal), { message: 'hung up' })
})

t.test('a wait has its own time', async (t) => {
  const { client } = await clientOf(t, () => undefined)
  await t.rejects(client.wait('WaitForJobChange', [], 50), { code: 'no-answer' })
})

t.test('where nobody listens is told at once', async (t) => {
  const dir = socketDir(t)
  await writeFile(join(dir, 'file'), '')
  const left = join(dir, 'left')
  const server = createServer().listen(left)
  await new Promise((resolve) => server.on('listening', resolve))
  // A daemon that was killed leaves its socket behind.
  const behind = join(dir, 'behind')
  await rename(left, behind)
  await new Promise((resolve) => server.close(resolve))
  const cases: [sockets: string[], what: string][] = [
    [[join(dir, 'nosuch')], 'no socket'],
    [[behind], 'a socket left behind'],
    [[join(dir, 'file')], 'something else'],
    [[join(dir, 'file', 'socket')], 'no folder'],
    [[join(dir, 'nosuch'), behind], 'several'],
  ]
  for (const [sockets, what] of cases) {
    const client = new LuxiClient(sockets)
    await t.rejects(client.read('QueryTags', []), { code: 'no-master' }, what)
    await t.rejects(client.change('SubmitJob', []), { code: 'no-master' }, what)
  }
})

t.test('the first socket on which someone listens counts', async (t) => {
  const dir = socketDir(t)
  const query = join(dir, 'query')
  const other = await scriptedMaster(t, () => 'other', join(dir, 'master'))
  const client = new LuxiClient([query, other.path])
  t.teardown(() => client.close())
  t.equal(await client.read('A', []), 'other')
  await other.stop()
  await scriptedMaster(t, () => 'first', query)
  t.equal(await client.read('A', []), 'first', 'also when it comes later')
})

t.test('a socket without permission is told as the original tells it', async (t) => {
  const { path } = await scriptedMaster(t, echo)
  await chmod(path, 0)
  // Root may do anything.
  if (process.geteuid?.() === 0) {
    process.seteuid?.(65534)
    t.teardown(() => process.seteuid?.(0))
  }
  await t.rejects(new LuxiClient([path]).read('A', []), {
    code: 'internal',
    message: 'Internal error: no permission to connect to the master daemon',
  })
})

t.test('a master daemon that comes back is found again', async (t) => {
  const dir = socketDir(t)
  const path = join(dir, 'master')
  const before = await scriptedMaster(t, () => 'before', path)
  const client = new LuxiClient([path])
  t.teardown(() => client.close())
  t.equal(await client.read('A', []), 'before')
  await before.stop()
  await t.rejects(client.read('A', []), { code: 'no-master' })
  await scriptedMaster(t, () => 'after', path)
  t.equal(await client.read('A', []), 'after')
})

t.test('closing ends the calls under way', async (t) => {
  const { master, client } = await clientOf(t, () => undefined)
  const calls = [client.read('A', []), client.wait('B', [], LONG)]
  await master.heard(2)
  client.close()
  await Promise.all(calls.map((call) => t.rejects(call, { code: 'bad-answer' })))
})
