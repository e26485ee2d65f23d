/**
 * Makes a password field for the users file. The password never appears in a
 * file or in the list of processes: it is read twice from the terminal, without
 * echo, or, if standard input is not a terminal, from its first line.
 */
import { createInterface, type Interface } from 'node:readline'
import { type Readable, Writable } from 'node:stream'
import { Failure } from '../failure.ts'

/** RFC 9106's recommendation for limited memory: 64 MiB, 3 passes, 4 lanes. */
const ARGON2ID = { type: 2, memoryCost: 64 * 1024, timeCost: 3, parallelism: 4 } as const

/** Longer ones do not fit into the headers of some clients and servers, and are probably the wrong file. */
const LONGEST_PASSWORD = 1024

export interface PasswordStreams {
  readonly input: Readable & { readonly isTTY?: boolean }
  /** Gets only the field, so that it can be redirected to a file. */
  readonly output: Writable
  readonly prompts: Writable
}

/**
 * Reads a password and writes `{ARGON2}$argon2id$...`, one line, to `output`.
 * @throws Failure `invalid` if the password is empty, too long, not UTF-8 or typed differently the second
 *   time, or if none was given (end of input, interrupt)
 */
export async function hashPassword({ input, output, prompts }: PasswordStreams): Promise<void> {
  const password = input.isTTY ? await typed(input, prompts) : await firstLine(input)
  if (password === '') throw new Failure('invalid', 'the password is empty')
  if (Buffer.byteLength(password) > LONGEST_PASSWORD) {
    throw new Failure('invalid', `the password is longer than ${LONGEST_PASSWORD} bytes`)
  }
  // An incomplete UTF-8 sequence would never match what a client sends.
  if (password.includes('\uFFFD')) throw new Failure('invalid', 'the password is not UTF-8')
  const { hash } = await import('argon2')
  output.write(`{ARGON2}${await hash(password, ARGON2ID)}\n`)
}

async function typed(input: Readable, prompts: Writable): Promise<string> {
  // readline supports the usual line editing; its echo is discarded.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input, output: nowhere, terminal: true, historySize: 0 })
  try {
    const password = await ask(lines, prompts, 'Password: ')
    const again = await ask(lines, prompts, 'Same password again: ')
    if (password !== again) throw new Failure('invalid', 'the two passwords differ')
    return password
  } finally {
    lines.close()
  }
}

function ask(lines: Interface, prompts: Writable, prompt: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const cancel = () => {
      prompts.write('\n')
      reject(new Failure('invalid', 'no password was given'))
    }
    lines.once('SIGINT', () => lines.close())
    lines.once('close', cancel)
    prompts.write(prompt)
    lines.question('', (answer) => {
      lines.off('close', cancel)
      prompts.write('\n')
      resolve(answer)
    })
  })
}

async function firstLine(input: Readable): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of input) {
    const bytes = Buffer.from(chunk)
    chunks.push(bytes)
    size += bytes.length
    if (bytes.includes('\n') || size > LONGEST_PASSWORD + 2) break
  }
  const [line = ''] = Buffer.concat(chunks).toString('utf8').split(/\r?\n/, 1)
  return line
}
