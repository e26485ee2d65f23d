/**
 * The start: read the command line and the certificate; unless told to stay in
 * the foreground, start a detached copy of this program, and wait until it
 * reports that it is ready. Root always starts a copy, which runs as Ganeti's
 * user for this daemon from the beginning (least privilege). serve.ts is the
 * rest. All that can fail at the start fails before the copy is ready, with one
 * line on standard error.
 */
import { resolve } from 'node:path'
import { hashPassword } from './auth/hash-password.ts'
import { check, checkCertificate, type Finding } from './check.ts'
import { runInForeground, type Starter, startDetached, starterOfCopy } from './daemon/copy.ts'
import { checkDescriptors } from './daemon/descriptors.ts'
import { hostName } from './daemon/host-name.ts'
import { type Command, commandAs, userToBecome } from './daemon/privileges.ts'
import { Failure, messageChain } from './failure.ts'
import type { Certificate } from './http/tls.ts'
import { helpText, type Options, PROGRAM, parseOptions, UsageError } from './options.ts'
import { defaultPaths, type Paths } from './paths.ts'
import { ownVersion, portOf, readServerCertificate, serve, textOf } from './serve.ts'
import { chooseSource, NotServing } from './source.ts'

/** Ganeti's user for this daemon. */
const USER = 'gnt-rapi'

/**
 * Runs the program.
 *
 * @param script the path of the program, for the copy of itself that it starts, and as the usage shows it
 * @param args the arguments after it
 * @returns the exit status: 0 done, 1 failed, 2 could not read the arguments, 11 and 12 as NotServing has them
 */
export async function main(script: string, args: readonly string[]): Promise<number> {
  const starter = starterOfCopy()
  try {
    const command = parseOptions(args, script)
    switch (command.kind) {
      case 'help':
        process.stdout.write(helpText())
        return 0
      case 'version':
        process.stdout.write(`${PROGRAM} ${ownVersion()}\n`)
        return 0
      case 'hashPassword':
        await hashPassword({ input: process.stdin, output: process.stdout, prompts: process.stderr })
        return 0
      case 'serve':
        checkDescriptors()
        return await start([script, ...args], absolutePaths(command.options), starter)
    }
  } catch (error) {
    if (error instanceof UsageError) {
      process.stderr.write(error.text)
      return error.status
    }
    const text = textOf(error)
    if (starter) await starter.reportFailure(text)
    else process.stderr.write(`${text}\n`)
    return error instanceof NotServing ? error.status : 1
  }
}

/**
 * Serves in this process, or starts a copy that does.
 * @param itself the script and its arguments, from which the options were parsed
 */
async function start(
  itself: readonly [script: string, ...args: string[]],
  options: Options,
  starter: Starter | undefined,
): Promise<number> {
  const paths = defaultPaths(process.env.GANETI_ROOTDIR)
  const user = userToBecome(USER)
  if (options.check) return startCheck(itself, options, paths, starter)
  const source = chooseSource(options.config, paths, hostName(), options.anyNode)
  if (starter) {
    // Never serve as root if the daemon's user exists.
    if (user) throw new Failure('configuration', `still root where the user '${USER}' should serve`)
    return serve(options, paths, source, (await starter.handedOver) as Certificate | undefined, starter)
  }
  // Certificate mistakes are the most common, so they are found first; and perhaps only root can read the key.
  const certificate = await readServerCertificate(options, paths)
  if (options.foreground && !user) return serve(options, paths, source, certificate)
  let command: Command = [process.execPath, ...process.execArgv, ...itself]
  if (user) command = commandAs(user, command, itself[0], portOf(options))
  if (options.foreground) return runInForeground(command, certificate)
  await startDetached(command, certificate).catch((error) => {
    throw new Failure('internal', `Error when starting daemon process: ${messageChain(error)}`)
  })
  return 0
}

/** Checks everything as the user who would serve. */
async function startCheck(
  itself: readonly [script: string, ...args: string[]],
  options: Options,
  paths: Paths,
  starter: Starter | undefined,
): Promise<number> {
  const certificate = starter
    ? ((await starter.handedOver) as Finding)
    : await checkCertificate(options, paths)
  const user = userToBecome(USER)
  if (user) {
    const command: Command = [process.execPath, ...process.execArgv, ...itself]
    return runInForeground(commandAs(user, command, itself[0], portOf(options)), certificate)
  }
  const print = (line: string) => process.stdout.write(`${line}\n`)
  return check(options, paths, { host: hostName(), certificate, print })
}

/** Makes file names in the options absolute, as the daemon changes its folder to `/`. */
function absolutePaths(options: Options): Options {
  const absolute = (path: string | undefined) => path && resolve(path)
  const { sslKey, sslCert, sslChain, config, anyNodeCa } = options
  return {
    ...options,
    sslKey: sslKey.map((path) => resolve(path)),
    sslCert: sslCert.map((path) => resolve(path)),
    sslChain: absolute(sslChain),
    config: absolute(config),
    anyNodeCa: absolute(anyNodeCa),
  }
}
