import {
  chmodSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import {
  type Reason,
  type Reloadable,
  type ReloadableOptions,
  reloadable,
} from '../../lib/daemon/reloadable.ts'
import { WatchedFiles } from '../../lib/daemon/watched-files.ts'
import { Failure } from '../../lib/failure.ts'
import { identityOf } from '../../lib/files/file-identity.ts'
import { MemoryLog } from '../support/memory-log.ts'
import { until } from '../support/until.ts'

/** Long enough that a test passes by watching alone. */
const NEVER = 3_600_000
const OFTEN = 20
/** A system that cannot watch folders. */
const noWatches = () => {
  throw Object.assign(new Error('no watches left'), { code: 'ENOSPC' })
}

interface Sample {
  readonly value: Reloadable<string>
  readonly path: string
  readonly reasons: Reason[]
  readonly log: MemoryLog
}

/** A file's text as a reloadable value; the text `broken` does not load, no file is `absent`. */
async function sample(t: Test, options: Partial<ReloadableOptions<string>> = {}): Promise<Sample> {
  const path = options.watch?.[0] ?? join(t.testdir({ file: 'first' }), 'file')
  const reasons: Reason[] = []
  const log = new MemoryLog()
  const value = await reloadable({
    name: 'the sample',
    watch: [path],
    log,
    pollInterval: NEVER,
    load: async (reason) => {
      reasons.push(reason)
      const content = await readFile(path, 'utf8').catch((error) => {
        if (error.code === 'ENOENT') return 'absent'
        throw error
      })
      if (content === 'broken') {
        throw new Error(`cannot use '${path}'`, { cause: new Error('line 7: missing password') })
      }
      return content
    },
    ...options,
  })
  t.teardown(() => value.close())
  return { value, path, reasons, log }
}

/** Replaces a file as careful writers do. */
function replace(path: string, content: string): void {
  writeFileSync(`${path}.new`, content)
  renameSync(`${path}.new`, path)
}

t.test('the first value is there from the start', async (t) => {
  const { value, reasons, log } = await sample(t)
  t.equal(value.current, 'first')
  t.strictSame(reasons, ['start'])
  t.strictSame(log.lines, [])
})

t.test('it is known why the last load failed', async (t) => {
  const { value, path } = await sample(t)
  t.equal(value.failure, undefined)
  writeFileSync(path, 'broken')
  await value.reload()
  t.equal(value.failure, `cannot use '${path}': line 7: missing password`)
  writeFileSync(path, 'mended')
  await value.reload()
  t.equal(value.failure, undefined)
})

t.test('if the first load fails, there is no value, and nothing is watched', async (t) => {
  const path = join(t.testdir({ file: 'broken' }), 'file')
  let watched = 0
  const watchFolder = () => {
    watched++
    const watcher = { on: () => watcher as never, close: () => watched-- }
    return watcher as never
  }
  await t.rejects(sample(t, { watch: [path], watchFolder }), { message: `cannot use '${path}'` })
  t.equal(watched, 0)
})

const watching = [
  ['watching the folder', { pollInterval: NEVER }],
  [
    'looking from time to time, where folders cannot be watched',
    { pollInterval: OFTEN, watchFolder: noWatches },
  ],
] as const
for (const [how, options] of watching) {
  t.test(`changes are noticed by ${how}`, async (t) => {
    const { value, path, reasons, log } = await sample(t, options)
    const told: string[] = []
    value.onChange((now) => told.push(now))

    replace(path, 'renamed over')
    await until(() => value.current === 'renamed over')
    writeFileSync(path, 'written in place')
    await until(() => value.current === 'written in place')
    rmSync(path)
    await until(() => value.current === 'absent')
    writeFileSync(path, 'back')
    await until(() => value.current === 'back')
    // Written in place, a file may be read while it is empty for a moment, and is read again then.
    t.strictSame(
      told.filter((text) => text !== ''),
      ['renamed over', 'written in place', 'absent', 'back'],
    )
    t.strictSame(new Set(reasons.slice(1)), new Set(['change']))
    t.strictSame(log.lines, [])
  })
}

t.test('a list of mistakes is logged with a line for each', async (t) => {
  const log = new MemoryLog()
  let broken = false
  const load = async () => {
    if (broken) throw new Failure('configuration', 'file: 1:1: this\nfile: 2:1: that')
    return 'good'
  }
  const value = await reloadable({ name: 'the sample', load, log })
  t.teardown(() => value.close())
  broken = true
  t.notOk(await value.reload())
  t.strictSame(log.lines, [
    'ERROR Cannot reload the sample, keeping what was loaded before: file: 1:1: this',
    'ERROR file: 2:1: that',
  ])
})

t.test('a failed load is logged with its causes, and the old value is kept', async (t) => {
  const { value, path, log } = await sample(t)
  replace(path, 'broken')
  await until(() => log.lines.length > 0)
  t.strictSame(log.lines, [
    `ERROR Cannot reload the sample, keeping what was loaded before: cannot use '${path}': line 7: missing password`,
  ])
  t.equal(value.current, 'first')
  replace(path, 'mended')
  await until(() => value.current === 'mended')
  t.equal(log.lines.length, 1)
})

t.test('a file that lacked a descriptor is read later, though unchanged', async (t) => {
  const path = join(t.testdir({ file: 'first' }), 'file')
  let wanting = false
  const { value, log } = await sample(t, {
    watch: [path],
    pollInterval: OFTEN,
    load: async () => {
      if (wanting) throw new Error('cannot', { cause: Object.assign(new Error('no'), { code: 'EMFILE' }) })
      return readFile(path, 'utf8')
    },
  })
  wanting = true
  replace(path, 'second')
  await until(() => log.lines.length > 0)
  t.equal(value.current, 'first')
  wanting = false
  await until(() => value.current === 'second')
})

t.test('a file that was made readable again is read again', async (t) => {
  const { value, path, reasons } = await sample(t)
  chmodSync(path, 0o640)
  await until(() => reasons.length === 2)
  t.equal(value.current, 'first')
})

t.test('changes of other files in the folder are ignored', async (t) => {
  const { value, path, reasons } = await sample(t)
  for (let other = 0; other < 50; other++) {
    writeFileSync(`${path}.${other}`, 'x')
    await new Promise(setImmediate)
  }
  replace(path, 'second')
  await until(() => value.current === 'second')
  t.strictSame(reasons, ['start', 'change'])
})

t.test('the folder may be created later, removed and replaced', async (t) => {
  const folder = join(t.testdir(), 'folder')
  const path = join(folder, 'file')
  const { value } = await sample(t, { watch: [path], pollInterval: OFTEN })
  t.equal(value.current, 'absent')
  mkdirSync(folder)
  writeFileSync(path, 'in a new folder')
  await until(() => value.current === 'in a new folder')
  renameSync(folder, `${folder}.old`)
  await until(() => value.current === 'absent')
  mkdirSync(`${folder}.new`)
  writeFileSync(join(`${folder}.new`, 'file'), 'in another folder')
  renameSync(`${folder}.new`, folder)
  await until(() => value.current === 'in another folder')
  writeFileSync(join(`${folder}.old`, 'file'), 'in the old folder')
  replace(path, 'in the new folder')
  await until(() => value.current === 'in the new folder')
})

t.test('a replaced folder is watched again', async (t) => {
  const folder = join(t.testdir({ folder: { file: 'first' } }), 'folder')
  const path = join(folder, 'file')
  const { value } = await sample(t, { watch: [path] })
  renameSync(folder, `${folder}.old`)
  mkdirSync(folder)
  replace(path, 'second')
  t.ok(await value.reload())
  t.equal(value.current, 'second')
  replace(path, 'third')
  await until(() => value.current === 'third')
})

t.test('a link is followed to wherever it leads', async (t) => {
  const dir = t.testdir({ elsewhere: { one: 'one', two: 'two' }, here: {} })
  const path = join(dir, 'here', 'link')
  symlinkSync(join(dir, 'elsewhere', 'one'), path)
  const { value } = await sample(t, { watch: [path], pollInterval: OFTEN })
  t.equal(value.current, 'one')
  symlinkSync(join(dir, 'elsewhere', 'two'), `${path}.new`)
  renameSync(`${path}.new`, path)
  await until(() => value.current === 'two')
  replace(join(dir, 'elsewhere', 'two'), 'two, changed')
  await until(() => value.current === 'two, changed')
})

t.test('a change while the first value is loaded is not missed', async (t) => {
  const path = join(t.testdir({ file: 'first' }), 'file')
  const value = await reloadable({
    name: 'the sample',
    watch: [path],
    log: new MemoryLog(),
    pollInterval: NEVER,
    load: async (reason) => {
      const content = readFileSync(path, 'utf8')
      if (reason === 'start') replace(path, 'second')
      return content
    },
  })
  t.teardown(() => value.close())
  t.equal(value.current, 'first')
  await until(() => value.current === 'second')
})

t.test('loads never overlap, and the last change wins', async (t) => {
  const path = join(t.testdir({ file: '0' }), 'file')
  let underWay = 0
  let most = 0
  const value = await reloadable({
    name: 'the sample',
    watch: [path],
    log: new MemoryLog(),
    pollInterval: NEVER,
    load: async () => {
      most = Math.max(most, ++underWay)
      const content = await readFile(path, 'utf8')
      await delay(10)
      underWay--
      return content
    },
  })
  t.teardown(() => value.close())
  for (let change = 1; change <= 30; change++) {
    replace(path, String(change))
    // The last ones must be noticed without being told.
    if (change < 25) void value.reload()
    await delay(change % 7)
  }
  await until(() => value.current === '30')
  t.ok(await value.reload())
  t.equal(value.current, '30')
  t.equal(most, 1)
})

t.test('reload() loads the files as of the call, and returns whether it succeeded', async (t) => {
  const { value, path, reasons, log } = await sample(t, { watchFolder: noWatches })
  t.ok(await value.reload())
  t.strictSame(reasons, ['start', 'signal'])

  replace(path, 'second')
  const asked = value.reload()
  const again = [value.reload(), value.reload()]
  t.strictSame(await Promise.all([asked, ...again]), [true, true, true])
  t.equal(value.current, 'second')
  t.equal(reasons.length, 3, 'those who ask before it begins share one load')

  replace(path, 'broken')
  t.notOk(await value.reload())
  t.equal(value.current, 'second')
  t.equal(log.lines.length, 1)
})

t.test('a failing listener is logged and does not affect others', async (t) => {
  const { value, path, log } = await sample(t)
  const told: string[] = []
  value.onChange(() => {
    throw new Error('no use for it')
  })
  const stop = value.onChange((now) => told.push(now))
  replace(path, 'second')
  t.ok(await value.reload())
  t.strictSame(told, ['second'])
  t.strictSame(log.lines, ['ERROR Cannot make use of the sample after reloading it: no use for it'])
  stop()
  await value.reload()
  t.strictSame(told, ['second'])
})

for (const next of ['second', 'broken']) {
  t.test(`after closing, a load under way comes to nothing: ${next}`, async (t) => {
    const { value, path, log } = await sample(t)
    replace(path, next)
    const loading = value.reload()
    value.close()
    t.notOk(await loading)
    t.equal(value.current, 'first')
    t.strictSame(log.lines, [])
  })
}

t.test('a file that the daemon has written itself is not loaded', async (t) => {
  const { value, path, reasons } = await sample(t, { pollInterval: OFTEN, watchFolder: noWatches })
  replace(path, 'own')
  // In the same turn of the event loop, so that no look comes between.
  value.written(path, identityOf(statSync(path, { bigint: true })))
  const files = new WatchedFiles([path], {})
  await files.see()
  replace(path, 'own, too')
  t.ok(await files.haveChanged())
  files.written(path, identityOf(statSync(path, { bigint: true })))
  t.notOk(await files.haveChanged())
  files.close()
  value.written(path, identityOf(statSync(path, { bigint: true })))
  replace(path, 'of somebody else')
  await until(() => value.current === 'of somebody else')
  t.strictSame(reasons, ['start', 'change'])
})

t.test('a value without files is reloaded only when asked', async (t) => {
  let loads = 0
  const value = await reloadable({ name: 'a number', log: new MemoryLog(), load: async () => ++loads })
  t.equal(value.current, 1)
  t.ok(await value.reload())
  t.equal(value.current, 2)
  value.close()
})
