/**
 * The process that serves, put together: it opens the log, locks the pid file,
 * loads users and cluster state, opens the port, and reports that it is ready.
 */
import { readFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { AnyNode } from './any-node/any-node.ts'
import { createAuthorizer } from './auth/authorize.ts'
import { readUsers, type UserList } from './auth/users-file.ts'
import type { Backend } from './backend/backend.ts'
import { openClusterState } from './backend/cluster-state.ts'
import type { Starter } from './daemon/copy.ts'
import { descriptorsFailure, freeDescriptors } from './daemon/descriptors.ts'
import './engine/nexttick-deopt-workaround.ts'
import { hostName } from './daemon/host-name.ts'
import { DaemonLog, escapeForLog, type Log } from './daemon/log.ts'
import { acquirePidFile, type PidFile } from './daemon/pid-file.ts'
import { ownName } from './daemon/privileges.ts'
import { nameProcess } from './daemon/process-name.ts'
import { RecordFile } from './daemon/record-file.ts'
import { reloadable } from './daemon/reloadable.ts'
import { servicePort } from './daemon/services.ts'
import { onSignals, type SignalActions, signalNumber } from './daemon/signals.ts'
import { EventHub } from './events/event-hub.ts'
import { waitingByEvents } from './events/event-waits.ts'
import { Failure, messageChain } from './failure.ts'
import { healthChecks } from './health-checks.ts'
import { createApp } from './http/app.ts'
import { Audit } from './http/audit.ts'
import { validityOf } from './http/certificate-validity.ts'
import { EventStreams } from './http/event-streams.ts'
import { DEFAULT_LIMITS } from './http/limits.ts'
import { MetricsPage } from './http/metrics-page.ts'
import { createPage, type Page, type PageOptions, readPage } from './http/page.ts'
import { createProbes } from './http/probes.ts'
import { startServer } from './http/server.ts'
import type { RequestRecord } from './http/service.ts'
import { type Certificate, readCertificate } from './http/tls.ts'
import { EventMetrics } from './metrics/event-metrics.ts'
import { Counters } from './metrics/family.ts'
import { HttpMetrics } from './metrics/http-metrics.ts'
import { LuxiMetrics } from './metrics/luxi-metrics.ts'
import { Metrics } from './metrics/metrics.ts'
import { ProcessMetrics } from './metrics/process-metrics.ts'
import { type Options, PROGRAM } from './options.ts'
import type { Paths } from './paths.ts'
import { resources } from './resources/table.ts'
import type { Source } from './source.ts'

const DEFAULT_PORT = 5080
/** File descriptors reserved for files, the password process and connections to the master daemon. */
const DESCRIPTORS_FOR_FILES = 48
const FEWEST_CONNECTIONS = 8
/** How long requests in progress may take to finish after a signal to stop, in milliseconds. */
const GRACE = 15_000

/**
 * Serves until told to stop, or fails at the start.
 * @param first the certificate, until it is reloaded
 */
export async function serve(
  options: Options,
  paths: Paths,
  source: Source,
  first: Certificate | undefined,
  starter?: Starter,
): Promise<number> {
  nameProcess(PROGRAM)
  const log = openLog(options, paths)
  const closers: (() => unknown)[] = [() => log.close()]
  try {
    log.info(`${PROGRAM} daemon startup`)
    const debug = options.debug ? (message: string) => log.debug(escapeForLog(message)) : undefined
    debug?.(`Version ${ownVersion()} on Node ${process.version}, process ${process.pid}, user ${ownName()}`)
    let reload = async () => {}
    let stopping = false
    const stopped = untilStopped(log, () => reload(), starter).then(() => {
      stopping = true
    })
    const pidFile = claimPidFile(options, paths, log)
    if (pidFile === 'held') {
      log.info('Another daemon serves on this node already')
      await starter?.reportReady()
      return 0
    }
    closers.unshift(() => pidFile?.release())
    const auditFile = new RecordFile(paths.auditLog, 0o640)
    closers.unshift(() => auditFile.close())
    const audit = await openAudit(options, auditFile, log)
    closers.unshift(() => audit?.close())

    const [http, luxi, processMetrics] = [new HttpMetrics(), new LuxiMetrics(), new ProcessMetrics()]
    closers.unshift(() => processMetrics.close())
    const reloads = new Counters('what', 'result')
    const counted = (what: string) => (succeeded: boolean) => reloads.add(what, succeeded ? 'ok' : 'failed')

    const certificate = await reloadable({
      name: 'the certificate',
      load: async (reason) => (reason === 'start' ? first : readServerCertificate(options, paths)),
      log,
      loaded: counted('certificate'),
    })
    closers.unshift(() => certificate.close())
    const users = await reloadable({
      name: 'the users file',
      load: (reason) => loadUsers(paths.users, log, debug, reason === 'start' && options.foreground),
      watch: [paths.users],
      log,
      loaded: counted('users'),
    })
    closers.unshift(() => users.close())
    const anyNode = options.anyNode
      ? await AnyNode.open({
          ...{ ssconfDir: paths.ssconfDir, configData: paths.configData, self: hostName(), certificate, log },
          ...{ port: portOf(options), host: hostToBind(options), issuers: options.anyNodeCa },
        })
      : undefined
    closers.unshift(() => anyNode?.close())
    const staleFile = options.staleReads || anyNode ? paths.configData : undefined
    const observers = { debug, called: luxi.called, reloaded: counted('state') }
    const state = await openClusterState(source, staleFile, log, observers, anyNode && (() => anyNode))
    closers.unshift(() => state.close())
    const hub = new EventHub({ source: state.events, logWarning: (message) => log.warning(message) })
    closers.unshift(() => hub.close('shutdown'))
    let waiting: { readonly of: Backend; readonly backend: Backend } | undefined
    /** The backend of the moment: another one while this is not the master. Only a queue of our own waits itself. */
    const backend = () => {
      const now = state.backend
      if (source.kind === 'file' || anyNode?.isMaster === false) return now
      if (waiting?.of !== now) waiting = { of: now, backend: waitingByEvents(now, hub) }
      return waiting.backend
    }
    const metrics = new Metrics({
      http,
      luxi,
      events: new EventMetrics(hub),
      forward: anyNode?.metrics,
      reloads,
      process: processMetrics,
      backend: () => state.backend,
      version: ownVersion(),
      certificateEnd: () => certificate.current && validityOf(certificate.current).to,
      stateTime: () => state.readAt,
    })
    const authorizer = createAuthorizer({
      users: () => users.current,
      requireAuthentication: options.requireAuthentication,
      anonymousReads: options.anonymousReads === 'yes',
    })
    const events = new EventStreams({
      hub,
      authorizer,
      most: options.maxStreams,
      log: (message) => log.info(message),
    })
    users.onChange(() => events.usersChanged())
    const health = healthChecks({ log, state, anyNode, users, certificate, isStopping: () => stopping })
    const server = await startServer(
      {
        app: createApp({
          resources,
          backend,
          staleState: state.staleState,
          authorizer,
          events,
          audit,
          namesRequester: !options.plainReason,
          metrics: http,
          metricsPage: new MetricsPage(metrics).answer,
          page: options.noUi
            ? undefined
            : await openPage(log, {
                metrics: http,
                certificateEnd: () =>
                  certificate.current && Math.floor(validityOf(certificate.current).to / 1000),
              }),
          probes: createProbes(health),
          maxClients: options.maxClients,
          debug,
          logForbidden: (message) => log.warning(escapeForLog(message)),
          around: anyNode?.around(resources, http),
        }),
        clientBehind: anyNode?.clientBehind,
        get serverName() {
          const { version } = state
          return version ? `Ganeti ${version.text}` : 'Ganeti'
        },
        metrics: http,
        certificate: certificate.current,
        logRequest: (record) => logRequest(log, record, options.debug),
        logDebug: (message) => log.debug(escapeForLog(message)),
        logWarning: (message) => log.warning(message),
        limits: { connections: mostConnections(options, log) },
      },
      { host: hostToBind(options), port: portOf(options) },
    )
    closers.unshift(() => server.close(GRACE))
    certificate.onChange((fresh) => fresh && server.setCertificate(fresh))

    await state.begin()
    server.begin()
    const { address, port, family } = server.address
    const host = family === 'IPv6' ? `[${address}]` : address
    log.info(`Listening on ${options.noSsl ? 'http' : 'https'}://${host}:${port}/`)
    void anyNode?.warn()

    reload = async () => {
      await log.reopen()
      if (audit) await reopenAudit(auditFile, log)
      await Promise.all([users.reload(), state.reload(), certificate.reload(), anyNode?.reload()])
    }
    await starter?.reportReady()
    await stopped
    await delay(options.shutdownDelay * 1000)
    return 0
  } catch (error) {
    for (const line of textOf(error).split('\n')) log.critical(line)
    // In the foreground, the log has written it to the terminal already.
    if (options.foreground) return 1
    throw error
  } finally {
    // In reverse order of opening; a failure to close one does not prevent closing the others.
    for (const close of closers) {
      await Promise.resolve()
        .then(close)
        .catch((error) => log.error(messageChain(error)))
    }
  }
}

/** Resolves once a signal asks us to stop; a second one from the same source ends the process at once. */
function untilStopped(log: Log, reload: () => Promise<void>, starter: Starter | undefined): Promise<void> {
  return new Promise((resolve) => {
    const actions: SignalActions = {
      stop: (signal) => {
        log.info(`Received signal ${signalNumber(signal)} asking for shutdown`)
        resolve()
      },
      end: (signal) => process.exit(128 + signalNumber(signal)),
      reload: () => {
        log.info('Received signal 1: reopening the log, reading everything anew')
        reload().catch((error) => log.error(messageChain(error)))
      },
    }
    onSignals(actions)
    if (starter) onSignals(actions, starter.signals)
  })
}

function openLog(options: Options, paths: Paths): DaemonLog {
  const { debug, syslog, foreground, logFormat: format } = options
  const settings = { program: PROGRAM, debug, syslog, stderr: foreground, format }
  try {
    return new DaemonLog({ ...settings, file: paths.log })
  } catch (error) {
    // In the foreground the log file is optional: the lines are on the terminal as well.
    if (!foreground) throw error
    const log = new DaemonLog(settings)
    log.warning(`Going on without a log file: ${messageChain(error)}`)
    return log
  }
}

async function openAudit(options: Options, file: RecordFile, log: Log): Promise<Audit | undefined> {
  const { audit, auditOptional: optional, foreground } = options
  if (audit === 'no') return undefined
  try {
    await file.open()
  } catch (error) {
    if (!foreground) throw error
    const until = optional ? '' : ', so that nothing can be changed (--audit-optional allows that)'
    log.warning(`Going on without an audit log${until}: ${messageChain(error)}`)
  }
  return new Audit({ file, reads: audit === 'all', optional, log })
}

/** Opens the page at `/ui/`. Without its files, as in a tree that was only half built, all else is served. */
async function openPage(log: Log, options: Omit<PageOptions, 'files'>): Promise<Page | undefined> {
  try {
    return createPage({ files: await readPage(new URL('../ui/', import.meta.url)), ...options })
  } catch (error) {
    log.warning(`There is no page at /ui/: ${messageChain(error)}`)
    return undefined
  }
}

/**
 * Gives 'held' if a daemon that serves on any node is there already. That is no failure: Ganeti starts one on the node
 * that becomes the master, whether or not there is one.
 */
function claimPidFile(options: Options, paths: Paths, log: Log): PidFile | 'held' | undefined {
  const { anyNode, foreground } = options
  try {
    return acquirePidFile(anyNode ? paths.anyNodePidFile : paths.pidFile)
  } catch (error) {
    const heldByAnother = error instanceof Failure && error.code === 'unavailable'
    if (heldByAnother && anyNode) return 'held'
    if (heldByAnother || !foreground) throw error
    log.warning(`Going on without a pid file: ${messageChain(error)}`)
    return undefined
  }
}

/** Reads the certificates that the options name; undefined for plain HTTP. */
export async function readServerCertificate(
  options: Options,
  paths: Paths,
): Promise<Certificate | undefined> {
  const { noSsl, sslCert, sslKey, sslChain: chain } = options
  if (noSsl) return undefined
  // If there is more than one of either, the numbers are equal.
  const pairs = Math.max(sslCert.length, sslKey.length, 1)
  return readCertificate(
    ...Array.from({ length: pairs }, (_, pair) => ({
      certificate: sslCert[pair] ?? paths.rapiPem,
      key: sslKey[pair] ?? paths.rapiPem,
      chain,
    })),
  )
}

/** @param isOptional whether to go on without users if ours may not read those of this machine's service */
async function loadUsers(
  path: string,
  log: Log,
  debug: ((message: string) => void) | undefined,
  isOptional: boolean,
): Promise<UserList> {
  log.info(`Reading users file at ${path}`)
  const list = await readUsers(path).catch((error) => {
    if (!isOptional || (error as { cause?: NodeJS.ErrnoException }).cause?.code !== 'EACCES') throw error
    return { users: new Map(), warnings: [`Going on without users: ${messageChain(error)}`] }
  })
  for (const warning of list.warnings) log.warning(warning)
  debug?.(`${list.users.size} users: ${[...list.users.keys()].join(', ')}`)
  return list
}

/**
 * The limit of connections beside those of streams: at least twice the requests answered at once, and not more than
 * descriptors allow.
 */
function mostConnections({ maxClients, maxStreams }: Options, log: Log): number {
  const wanted = Math.max(DEFAULT_LIMITS.connections, 2 * maxClients)
  const possible = (freeDescriptors() ?? Infinity) - DESCRIPTORS_FOR_FILES - maxStreams
  if (possible >= wanted) return wanted
  const connections = Math.max(possible, FEWEST_CONNECTIONS)
  log.warning(
    `No more than ${connections} connections at once, as the limit on open files (ulimit -n) is low`,
  )
  return connections
}

/** The port to listen on. */
export function portOf(options: Options): number {
  return options.port ?? servicePort(PROGRAM, 'tcp') ?? DEFAULT_PORT
}

/**
 * The address to listen on; undefined for all.
 * @throws Failure `configuration` if the network interface has none
 */
export function hostToBind(options: Options): string | undefined {
  if (options.interface === undefined) return options.bind
  const addresses = networkInterfaces()[options.interface] ?? []
  const [address] = addresses.filter(({ family }) => family === 'IPv4').concat(addresses)
  if (!address) throw new Failure('configuration', `Network interface '${options.interface}' has no address`)
  return address.address
}

/** After a rotation. */
async function reopenAudit(file: RecordFile, log: Log): Promise<void> {
  await file.reopen().catch((error) => {
    log.error(`Cannot reopen the audit log, going on with the old one: ${messageChain(error)}`)
  })
}

/** Logs one line for each request but probes, whether it was answered or not. */
function logRequest(log: DaemonLog, record: RequestRecord, debug: boolean): void {
  const { peer, line, status, user, quiet, cause } = record
  if (quiet) return
  const request = line === undefined ? '-' : escapeForLog(line)
  const who = user === undefined ? '' : ` user=${escapeForLog(user)}`
  // An id that we made is not in the line, which then is as Ganeti's daemon writes it.
  const id = debug ? record.id : record.clientsId
  const parts = log.isJson ? { peer, line, status, user, request: record.id } : undefined
  log.request(`${peer} ${request} ${status ?? '-'}${who}${id === undefined ? '' : ` request=${id}`}`, parts)
  if (cause !== undefined) {
    log.error(`${peer} ${request}: ${escapeForLog(messageChain(cause))} (request ${record.id})`)
  }
}

/** The version of this program. */
export function ownVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return JSON.parse(text).version
}

/** The messages of a Failure; for anything else, which is a bug of ours, the stack. */
export function textOf(error: unknown): string {
  const failure = descriptorsFailure(error) ?? error
  return failure instanceof Failure ? messageChain(failure) : String((error as Error)?.stack ?? error)
}
