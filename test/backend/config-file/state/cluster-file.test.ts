import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { ClusterFile } from '../../../../lib/backend/config-file/state/cluster-file.ts'
import { ConfigLoader } from '../../../../lib/backend/config-file/state/config-loader.ts'
import { changesReporter } from '../../../../lib/backend/config-file/state/report-changes.ts'
import { Failure } from '../../../../lib/failure.ts'
import { MemoryLog } from '../../../support/memory-log.ts'

async function open(t: Test): Promise<{ file: ClusterFile; path: string; folder: string }> {
  const path = join(
    t.testdir({ own: { 'cluster.yaml': 'cluster: {name: c}\nnodes: {n1: {}}\n' } }),
    'own/cluster.yaml',
  )
  const file = new ClusterFile([path], new ConfigLoader(), false)
  await file.load()
  return { file, path, folder: dirname(path) }
}

/** Keeps even root from replacing what is in a folder; false where that cannot be done. */
function protect(folder: string, isProtected: boolean): boolean {
  if (process.geteuid?.() !== 0) {
    chmodSync(folder, isProtected ? 0o500 : 0o700)
    return true
  }
  return spawnSync('chattr', [isProtected ? '+a' : '-a', folder]).status === 0
}

t.test('whether the file can be written is found out again when it is asked again', async (t) => {
  const { file, path, folder } = await open(t)
  const log = new MemoryLog()
  const report = changesReporter(file, file, log)
  await file.checkWritable()
  await report()
  await report()
  if (!protect(folder, true)) return t.pass('this folder can be protected', { skip: 'no chattr here' })
  t.teardown(() => protect(folder, false))
  const taken = () =>
    file.checkWritable().then(
      () => true,
      () => false,
    )
  while (await taken()) await delay(20)
  await t.rejects(file.checkWritable(), { code: 'unavailable', message: /^No job can be taken: / })
  await report()
  protect(folder, false)
  t.ok(await taken(), 'what was refused is asked for each time')
  await report()
  t.match(log.lines, [
    `INFO The cluster can be changed: jobs replace ${path}, as the user `,
    /^WARNING The cluster cannot be changed by the user \S+: No job can be taken: cannot write the cluster's file: /,
    'INFO The cluster can be changed',
  ])
  t.equal(log.lines.length, 3, 'and told once')
  t.strictSame(readdirSync(folder), ['cluster.yaml'])
})

t.test('asking whether it can be written changes nothing about the file', async (t) => {
  const { file, path } = await open(t)
  const before = statSync(path, { bigint: true })
  await file.checkWritable()
  t.strictSame({ ...statSync(path, { bigint: true }) }, { ...before })
})

t.test('what cannot be changed is told as such', async (t) => {
  const log = new MemoryLog()
  const file = { path: '/nonexistent', keepsRights: true }
  const checkWritable = async () => {
    throw new Failure('unsupported', 'never written')
  }
  await changesReporter(file, { checkWritable }, log)()
  t.match(log.lines, [/^INFO The cluster cannot be changed by the user \S+: never written$/])
})

t.test('what crashes left beside the file is removed, once it is old, and nothing else', async (t) => {
  const { file, folder } = await open(t)
  const old = new Date(Date.now() - 120_000)
  const named = (digits: string) => `.cluster.yaml.${digits}.new`
  const left = ['.cluster.yaml.new', named('0123456789abcdef')]
  const others = [
    named('mine'),
    named('0123456789abcde'),
    '.other.yaml.new',
    'cluster.yaml.new',
    '.cluster.yaml.renew',
  ]
  const young = named('fedcba9876543210')
  for (const name of [...left, ...others, young]) writeFileSync(join(folder, name), 'text')
  for (const name of [...left, ...others]) utimesSync(join(folder, name), old, old)
  const directory = named('0000000000000000')
  mkdirSync(join(folder, directory))
  utimesSync(join(folder, directory), old, old)
  const link = named('1111111111111111')
  symlinkSync('cluster.yaml', join(folder, link))
  await file.removeLeftovers()
  t.strictSame(readdirSync(folder).sort(), [...others, young, directory, link, 'cluster.yaml'].sort())
})

t.test('what a crash left is told apart from what is not there, and removed where that can be', async (t) => {
  const { file, folder } = await open(t)
  const name = '.cluster.yaml.0123456789abcdef.new'
  t.equal(await file.hasTemporary(name), false)
  await file.removeTemporary(name)
  writeFileSync(join(folder, name), '')
  t.equal(await file.hasTemporary(name), true)
  await file.removeTemporary(name)
  t.equal(await file.hasTemporary(name), false)
  mkdirSync(join(folder, name))
  await file.removeTemporary(name)
  t.equal(await file.hasTemporary(name), true)
})
