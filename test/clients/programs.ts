/** Other people's programs, as the tests of clients run them. */
import { spawn, spawnSync } from 'node:child_process'
import { type Outcome, outcome } from '../support/daemon-root.ts'

/** Whether a missing program is a failure rather than a reason to skip a test: on machines that have them all. */
const ALL_REQUIRED = process.env.GANETI_RAPI_TEST_CLIENTS === 'required'

/** Debian's own Python, which sees Debian's packages. */
export const PYTHON = '/usr/bin/python3'

/**
 * What keeps a test from running, as tap's `skip` option takes it.
 * @param command a command that succeeds where the program is there
 * @param pkg the Debian package it comes from
 */
export function unless(command: readonly string[], pkg: string): { skip: string | false } {
  const [program = '', ...args] = command
  const there = spawnSync(program, args, { stdio: 'ignore' }).status === 0
  return { skip: !there && !ALL_REQUIRED && `${program} is not here (Debian: ${pkg})` }
}

/** Runs a program to its end, in the locale that htools need to print names. */
export async function run(
  command: readonly string[],
  { input, env = {} }: { input?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<Outcome> {
  const [program = '', ...args] = command
  const child = spawn(program, args, {
    env: { ...process.env, LANG: 'C.UTF-8', ...env },
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  })
  // A program that ends before it has read its input tells why by its outcome.
  child.stdin?.on('error', () => {}).end(input)
  return outcome(child)
}
