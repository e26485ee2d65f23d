import t from 'tap'
import { type Check, Health } from '../../lib/daemon/health.ts'
import { createProbes, isProbe } from '../../lib/http/probes.ts'
import { MemoryLog } from '../support/memory-log.ts'

const broken = new Set<string>()

function check(name: string): Check {
  return {
    name,
    run: () => {
      if (broken.has(name)) throw new Error('a reason with the secret name of a file')
    },
  }
}

const log = new MemoryLog()
const probes = createProbes([
  new Health('livez', [check('ping'), check('log')], log),
  new Health('readyz', [check('state'), check('users'), check('shutdown')], log),
])

async function ask(target: string, method = 'GET') {
  const response = await probes({ method, target })
  return response && { ...response, body: response.body.toString() }
}

t.beforeEach(() => broken.clear())

t.test('one word if all is well', async (t) => {
  for (const target of ['/livez', '/readyz', '/livez/log', '/readyz/users', '/readyz?x=y']) {
    t.match(
      await ask(target),
      { status: 200, type: 'text/plain; charset=utf-8', body: 'ok', quiet: true },
      target,
    )
    t.match(await ask(target, 'HEAD'), { status: 200, body: 'ok' }, target)
  }
})

t.test('503 and the names if something fails, but no reasons', async (t) => {
  broken.add('users').add('log')
  t.match(await ask('/readyz'), {
    status: 503,
    body: '[+]state ok\n[-]users failed: the log says why\n[+]shutdown ok\nreadyz check failed\n',
  })
  t.match(await ask('/livez'), { status: 503, body: /^\[\+\]ping ok\n\[-\]log failed/ })
  t.match(await ask('/readyz/users'), {
    status: 503,
    body: '[-]users failed: the log says why\nreadyz check failed\n',
  })
  t.match(await ask('/readyz/state'), { status: 200, body: 'ok' })
})

t.test('what is excluded does not count', async (t) => {
  broken.add('users').add('state')
  t.match(await ask('/readyz?exclude=users'), { status: 503 })
  t.match(await ask('/readyz?exclude=users&exclude=state'), { status: 200, body: 'ok' })
  t.match(await ask('/readyz?verbose&exclude=users&exclude=state&exclude=nope'), {
    status: 200,
    body: [
      '[+]state excluded',
      '[+]users excluded',
      '[+]shutdown ok',
      'warning: 1 excluded names are not those of checks',
      'readyz check passed\n',
    ].join('\n'),
  })
})

t.test('verbosely, every check has a line', async (t) => {
  t.match(await ask('/livez?verbose'), { status: 200, body: '[+]ping ok\n[+]log ok\nlivez check passed\n' })
  t.match(await ask('/livez/log?verbose'), { status: 200, body: '[+]log ok\nlivez check passed\n' })
})

t.test('there are no other paths, and no other methods', async (t) => {
  for (const target of ['/livez/', '/livez/nope', '/readyz/ping', '/readyz/state/', '/readyz/state/x']) {
    t.match(await ask(target), { status: 404, quiet: true }, target)
  }
  t.match(await ask('/readyz', 'POST'), {
    status: 501,
    body: /Method POST is unsupported for path \/readyz/,
  })
  for (const target of ['/', '/livezz', '/2/livez', '/readyzz?verbose', '/READYZ', '']) {
    t.notOk(isProbe(target), target)
    t.equal(await ask(target), undefined)
  }
})
