import { readFile } from 'node:fs/promises'
import t from 'tap'
import { Failure, messageChain, systemReason } from '../lib/failure.ts'

t.test('why the system refused something is told without the file that it was about', async (t) => {
  const error = await readFile('/nonexistent/secret').catch((thrown) => thrown)
  const failure = new Failure('unavailable', 'outer', { cause: new Error('between', { cause: error }) })
  for (const thrown of [error, failure]) {
    t.match(messageChain(thrown), '/nonexistent/secret')
    t.equal(systemReason(thrown), 'no such file or directory')
  }
  for (const thrown of [new Error('of ours'), 'text', undefined, Object.assign(new Error(), { errno: 1e6 })])
    t.equal(systemReason(thrown), undefined)
})

t.test('a chain of messages names a file once, and ends with the next step', async (t) => {
  const error = await readFile('/nonexistent/secret').catch((thrown) => thrown)
  const named = new Failure('configuration', "cannot read '/nonexistent/secret'", {
    cause: error,
    nextStep: 'write it',
  })
  const reason = 'no such file or directory (ENOENT)'
  t.equal(messageChain(named), `cannot read '/nonexistent/secret': ${reason}; write it`)
  t.equal(messageChain(new Error('no start', { cause: named })), `no start: ${messageChain(named)}`)
  t.equal(messageChain(new Error('unnamed', { cause: error })), `unnamed: ${reason}: /nonexistent/secret`)
  t.match(messageChain(error), /^ENOENT: .* '\/nonexistent\/secret'$/)
})
