import { execFileSync } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import t from 'tap'
import { checkDescriptors, descriptorsFailure, freeDescriptors } from '../../lib/daemon/descriptors.ts'
import { messageChain } from '../../lib/failure.ts'

const onLinux = { skip: process.platform !== 'linux' && 'only Linux tells' }

t.test('each open file uses one descriptor', onLinux, async (t) => {
  const before = freeDescriptors() ?? Number.NaN
  const files = [openSync('/dev/null', 'r'), openSync('/dev/null', 'r')]
  t.equal(freeDescriptors(), before - 2)
  for (const file of files) closeSync(file)
  t.equal(freeDescriptors(), before)
})

t.test('exactly the free descriptors can be opened', onLinux, async (t) => {
  const module = new URL('../../lib/daemon/descriptors.js', import.meta.url)
  const script = `
    const { openSync } = await import('node:fs')
    const { checkDescriptors, freeDescriptors } = await import('${module}')
    const free = freeDescriptors()
    let opened = 0
    try { for (;;) { openSync('/dev/null'); opened++ } } catch {}
    let refusal
    try { checkDescriptors() } catch ({ code, message }) { refusal = { code, message } }
    console.log(JSON.stringify({ free, opened, left: freeDescriptors(), refusal }))`
  // The console is opened before everything is taken; and the test runner adds nothing where the environment is bare.
  const command = ['env', '-i', process.execPath, '--input-type=module', '-e', `console.log();${script}`]
  const text = execFileSync('bash', ['-c', 'ulimit -n 100; exec "$@"', 'bash', ...command], {
    encoding: 'utf8',
  })
  const { free, opened, left, refusal } = JSON.parse(text)
  t.equal(opened, free)
  t.equal(left, 0)
  t.match(refusal, { code: 'configuration', message: /^only 0 more files can be opened, .* ulimit -n/ })
})

t.test('there are enough for a test', async (t) => {
  t.doesNotThrow(checkDescriptors)
})

t.test('a lack of descriptors is recognized by its code, at any depth of causes', async (t) => {
  const error = (code: string, message = code) => Object.assign(new Error(message), { code })
  for (const cause of [
    error('EMFILE'),
    error('ENFILE'),
    error('ERR_WORKER_INIT_FAILED', 'Worker initialization failure: EMFILE'),
  ]) {
    const failure = descriptorsFailure(new Error('outer', { cause: new Error('inner', { cause }) }))
    t.match(failure, { code: 'configuration' })
    t.equal(messageChain(failure).split('\n').length, 1)
  }
  for (const other of [
    error('ENOENT'),
    error('ERR_WORKER_INIT_FAILED', 'ENOMEM'),
    new Error('x'),
    undefined,
    'EMFILE',
  ]) {
    t.equal(descriptorsFailure(other), undefined)
  }
})
