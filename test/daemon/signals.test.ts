import t from 'tap'
import { start } from './programs/run.ts'

t.test('SIGHUP reloads, the first SIGTERM stops, the second one exits at once', async (t) => {
  const program = start('signalled')
  t.equal(await program.heard(), 'ready')
  program.child.kill('SIGHUP')
  t.equal(await program.heard(), 'reload')
  program.child.kill('SIGPIPE')
  program.child.kill('SIGHUP')
  t.equal(await program.heard(), 'reload', 'a broken pipe does nothing')
  program.child.kill('SIGTERM')
  t.equal(await program.heard(), 'stop 15')
  program.child.kill('SIGHUP')
  t.equal(await program.heard(), 'reload', 'also while stopping')
  program.child.kill('SIGINT')
  t.equal(await program.ended, 4)
  t.match(await program.stdout, /end SIGINT\n$/)
})

t.test('SIGINT stops too', async (t) => {
  const program = start('signalled')
  await program.heard()
  program.child.kill('SIGINT')
  t.equal(await program.heard(), 'stop 2')
  program.child.kill('SIGKILL')
  t.equal(await program.ended, 'SIGKILL')
})

t.test('signals can be left to their defaults again', async (t) => {
  const program = start('signalled')
  await program.heard()
  program.child.stdin?.write('off\n')
  t.equal(await program.heard(), 'off')
  program.child.kill('SIGTERM')
  t.equal(await program.ended, 'SIGTERM')
})
