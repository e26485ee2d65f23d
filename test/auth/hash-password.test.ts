import { PassThrough, Readable } from 'node:stream'
import t from 'tap'
import { hashPassword } from '../../lib/auth/hash-password.ts'
import { parsePassword } from '../../lib/auth/schemes.ts'

const text = (stream: PassThrough) => String(stream.read() ?? '')

/** Runs hashPassword with standard input from a pipe. */
async function piped(...chunks: readonly (string | Buffer)[]) {
  const output = new PassThrough()
  const prompts = new PassThrough()
  await hashPassword({ input: Readable.from(chunks.map((chunk) => Buffer.from(chunk))), output, prompts })
  return { output: text(output), prompts: text(prompts) }
}

/** A terminal at which someone types each entry once a prompt for it has appeared. */
function terminal(...entries: readonly string[]) {
  const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => input })
  const output = new PassThrough()
  const prompts = new PassThrough()
  const shown: string[] = []
  const left = [...entries]
  prompts.on('data', (data) => {
    shown.push(String(data))
    if (!String(data).endsWith(': ')) return
    const entry = left.shift()
    setImmediate(() => (entry === undefined ? input.end() : input.write(entry)))
  })
  return { streams: { input, output, prompts }, shown: () => shown.join('') }
}

t.test('the first line of standard input becomes a field that matches it', async (t) => {
  const cases: readonly [chunks: readonly (string | Buffer)[], password: string][] = [
    [['sec', 'ret\r\nmore'], 'secret'],
    [[' spaces and\ttabs \n'], ' spaces and\ttabs '],
    [[Buffer.from([0x70, 0xc3]), Buffer.from([0xa4, 0x73, 0x0a])], 'päs'],
    [[`${'x'.repeat(1024)}\n`], 'x'.repeat(1024)],
  ]
  for (const [chunks, password] of cases) {
    const { output, prompts } = await piped(...chunks)
    const claim = JSON.stringify(password.slice(0, 20))
    t.match(
      output,
      /^\{ARGON2\}\$argon2id\$v=19\$m=65536,[tp]=\d,[tp]=\d\$[^\s]+\n$/,
      `${claim}: one line, no space`,
    )
    t.equal(prompts, '', `${claim}: nobody is asked`)
    t.equal(await parsePassword(output.trim()).matches('', password), true, `${claim} matches`)
  }
})

t.test('what cannot be a password is refused', async (t) => {
  const cases: readonly [claim: string, chunks: readonly (string | Buffer)[], message: string][] = [
    ['no input', [], 'the password is empty'],
    ['an empty line', ['\nsecret\n'], 'the password is empty'],
    ['an empty line as on Windows', ['\r\n'], 'the password is empty'],
    ['a long line', [`${'x'.repeat(1025)}\n`], 'the password is longer than 1024 bytes'],
    ['a long line of long letters', [`${'ä'.repeat(513)}\n`], 'the password is longer than 1024 bytes'],
    ['an endless line', ['x'.repeat(5000), 'x'.repeat(5000)], 'the password is longer than 1024 bytes'],
    ['bytes outside UTF-8', [Buffer.from('p\xe4ss\n', 'latin1')], 'the password is not UTF-8'],
  ]
  for (const [claim, chunks, message] of cases) {
    await t.rejects(piped(...chunks), { name: 'Failure', code: 'invalid', message }, claim)
  }
})

t.test('at a terminal the password is asked for twice and never shown', async (t) => {
  const { streams, shown } = terminal('secreX\x7ft\r', 'secret\r')
  await hashPassword(streams)
  t.equal(shown(), 'Password: \nSame password again: \n')
  const verifier = parsePassword(text(streams.output).trim())
  t.equal(await verifier.matches('', 'secret'), true)
  t.equal(await verifier.matches('', 'secreXt'), false)
})

t.test('a password that was not typed twice alike makes no field', async (t) => {
  const cases: readonly [claim: string, entries: readonly string[], message: string][] = [
    ['two passwords', ['secret\r', 'Secret\r'], 'the two passwords differ'],
    ['two empty lines', ['\r', '\r'], 'the password is empty'],
    ['an interrupt', ['sec\x03'], 'no password was given'],
    ['an interrupt later', ['secret\r', '\x03'], 'no password was given'],
    ['end of input', ['\x04'], 'no password was given'],
    ['a lost terminal', ['secret\r'], 'no password was given'],
  ]
  for (const [claim, entries, message] of cases) {
    const { streams, shown } = terminal(...entries)
    await t.rejects(hashPassword(streams), { name: 'Failure', code: 'invalid', message }, claim)
    t.equal(text(streams.output), '', `${claim}: no output`)
    t.match(shown(), /\n$/, `${claim}: the cursor stands on a new line`)
    t.notMatch(shown(), /sec/i, `${claim}: nothing shown`)
  }
})
