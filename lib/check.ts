/**
 * `--check`: reads what a start would read, and says what is wrong with it and what
 * each user may do. It starts and writes nothing, so it works beside a running daemon.
 */
import { access, constants } from 'node:fs/promises'
import { dirname } from 'node:path'
import { readNodeRole, roleInWords } from './any-node/node-role.ts'
import { allSelectors, type Grants, selectorsOf } from './auth/grants.ts'
import type { Permission } from './auth/permissions.ts'
import { readUsers, type User } from './auth/users-file.ts'
import type { Backend } from './backend/backend.ts'
import { configFileBackend } from './backend/config-file/config-file-backend.ts'
import { ClusterFile } from './backend/config-file/state/cluster-file.ts'
import { ConfigLoader } from './backend/config-file/state/config-loader.ts'
import { luxiBackend } from './backend/luxi/luxi-backend.ts'
import { isWithin, THING_FIELDS, type Thing, thingOf } from './backend/scoped/things.ts'
import { escapeForLog } from './daemon/log.ts'
import { messageChain } from './failure.ts'
import { checkValidity, validityOf } from './http/certificate-validity.ts'
import type { Certificate } from './http/tls.ts'
import type { Options } from './options.ts'
import type { Paths } from './paths.ts'
import { hostToBind, readServerCertificate } from './serve.ts'
import { chooseSource, type Source } from './source.ts'

/** How soon the end of a certificate is worth a warning, in milliseconds. */
const SOON = 30 * 24 * 3600 * 1000
/** How long the master daemon has to answer, in milliseconds. */
const PATIENCE = 5000

/** What became of a part: the certificate is read before the others, as perhaps only root can. */
export interface Finding {
  readonly errors: readonly string[]
  readonly warnings: readonly string[]
  /** What is right. */
  readonly lines: readonly string[]
}

const nothing: Finding = { errors: [], warnings: [], lines: [] }
const failed = (error: unknown): Finding => ({ ...nothing, errors: [messageChain(error)] })

/**
 * Checks everything but the certificate, and prints what was found.
 * @param host the name of this machine, as Ganeti knows its nodes
 * @param print called with each line
 * @returns the exit status: 0 if a start would succeed, as far as that can be known, otherwise 1
 */
export async function check(
  options: Options,
  paths: Paths,
  {
    host,
    certificate,
    print,
  }: { readonly host: string; readonly certificate: Finding; readonly print: (line: string) => void },
): Promise<number> {
  const findings = [certificate, checkAddress(options), await checkFiles(options, paths)]
  let instances: readonly Thing[] | undefined
  try {
    const source = chooseSource(options.config, paths, host, options.anyNode)
    const role = options.anyNode ? await readNodeRole(paths.ssconfDir, host) : undefined
    if (role) findings.push({ ...nothing, lines: [roleInWords(role)] })
    if (role === undefined || role.role === 'master') {
      const found = await clusterIn(source)
      instances = found.instances
      findings.push({ ...nothing, lines: [found.line] })
    }
  } catch (error) {
    findings.push(failed(error))
  }
  findings.push(await checkUsers(options, paths, instances))

  for (const line of findings.flatMap(({ lines }) => lines)) print(escapeForLog(line))
  for (const warning of findings.flatMap(({ warnings }) => warnings)) print(`warning: ${warning}`)
  const errors = findings.flatMap((one) => one.errors).flatMap((error) => error.split('\n'))
  for (const error of errors) print(`error: ${error}`)
  return errors.length === 0 ? 0 : 1
}

/** Reads the certificate. */
export async function checkCertificate(options: Options, paths: Paths): Promise<Finding> {
  let certificate: Certificate | undefined
  try {
    certificate = await readServerCertificate(options, paths)
  } catch (error) {
    return failed(error)
  }
  if (!certificate) return { ...nothing, lines: ['certificate: none, plain HTTP'] }
  const end = new Date(validityOf(certificate).to).toISOString()
  const lines = [`certificate: ${options.sslCert[0] ?? paths.rapiPem}, valid until ${end}`]
  try {
    checkValidity(certificate)
    checkValidity(certificate, Date.now() + SOON)
  } catch (error) {
    return { ...nothing, lines, warnings: [messageChain(error)] }
  }
  return { ...nothing, lines }
}

function checkAddress(options: Options): Finding {
  try {
    hostToBind(options)
    return nothing
  } catch (error) {
    return failed(error)
  }
}

/** Files that the daemon writes; in the foreground it goes on without them. */
async function checkFiles(options: Options, paths: Paths): Promise<Finding> {
  const files = [
    paths.log,
    options.anyNode ? paths.anyNodePidFile : paths.pidFile,
    ...(options.audit === 'no' ? [] : [paths.auditLog]),
  ]
  const problems: string[] = []
  for (const file of files) {
    try {
      await checkWritable(file)
    } catch (error) {
      problems.push(`cannot write ${file}: ${messageChain(error)}`)
    }
  }
  return options.foreground ? { ...nothing, warnings: problems } : { ...nothing, errors: problems }
}

/** Checks that a file can be written, or made. */
async function checkWritable(file: string): Promise<void> {
  try {
    await access(file, constants.W_OK)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    await access(dirname(file), constants.W_OK)
  }
}

async function clusterIn(source: Source): Promise<{ line: string; instances: readonly Thing[] }> {
  if (source.kind === 'master') {
    const backend = luxiBackend(source.sockets)
    try {
      await backend.ping(PATIENCE)
      return await describe(backend, `the master daemon at ${source.sockets.join(' or ')}`)
    } finally {
      await backend.close()
    }
  }
  const loader = new ConfigLoader()
  try {
    const file = new ClusterFile(source.files, loader)
    const config = await file.load()
    return await describe(
      configFileBackend(() => config),
      file.path,
    )
  } finally {
    await loader.close()
  }
}

async function describe(
  backend: Backend,
  where: string,
): Promise<{ line: string; instances: readonly Thing[] }> {
  const [{ name }, version] = [await backend.queryClusterInfo(), await backend.version()]
  const nodes = await backend.queryNodes([], ['name'])
  const rows = await backend.queryInstances([], THING_FIELDS.instance)
  const instances = rows.map((row) => thingOf('instance', row))
  const line = `cluster: ${name}, Ganeti ${version.text}, ${nodes.length} nodes, ${instances.length} instances, from ${where}`
  return { line, instances }
}

/** @param instances all that there are, if that is known */
async function checkUsers(
  { requireAuthentication, anonymousReads, foreground }: Options,
  paths: Paths,
  instances: readonly Thing[] | undefined,
): Promise<Finding> {
  try {
    const { users, warnings } = await readUsers(paths.users)
    const all = [...users.values()]
    const areOpen = !requireAuthentication && anonymousReads === 'yes'
    const limited = all.filter(({ grants }) => allSelectors(grants).length > 0)
    const open =
      areOpen && limited.length > 0
        ? [
            `${paths.users}: strangers may read everything, so that selectors limit only what is changed; --require-authentication or --anonymous-reads=no limits what is read`,
          ]
        : []
    const lines = [
      `users: ${all.length} in ${paths.users}`,
      ...all.map((user) => `  ${lineOf(user, instances)}`),
    ]
    return { errors: [], warnings: [...warnings, ...open], lines }
  } catch (error) {
    const isUnreadable = ((error as Error).cause as NodeJS.ErrnoException | undefined)?.code === 'EACCES'
    return foreground && isUnreadable ? { ...nothing, warnings: [messageChain(error)] } : failed(error)
  }
}

/** What a user may do, in a line. */
function lineOf({ name, grants }: User, instances: readonly Thing[] | undefined): string {
  if (grants.kind === 'rights') {
    const rights = [...grants.rights]
    return `${name}: ${rights.length === 0 ? 'what strangers may' : `${rights.join(',')}, as in Ganeti 3.0`}`
  }
  const words = [...new Set([...grants.words.values()].flat().map(({ text }) => text))]
  const count = grants.words.size
  const permissions = `${count} permission${count === 1 ? '' : 's'}`
  return [
    `${name}: ${words.length === 0 ? 'nothing' : words.join(',')}`,
    permissions,
    reachOf(grants, instances),
  ]
    .filter((part) => part !== undefined)
    .join(', ')
}

/** How many instances a user reaches with any permission about instances. */
function reachOf(
  grants: Grants & { kind: 'permissions' },
  instances: readonly Thing[] | undefined,
): string | undefined {
  if (!instances) return undefined
  const words = [...grants.words].flatMap(([permission, some]) => (isAboutInstances(permission) ? some : []))
  const selectors = selectorsOf(words)
  const reached = selectors ? instances.filter((instance) => isWithin([selectors], instance)) : instances
  return `${selectors ? '' : 'all '}${reached.length} instance${reached.length === 1 ? '' : 's'} now`
}

const isAboutInstances = (permission: Permission) => permission.startsWith('instances.')
