/** A daemon that serves wherever the master is, put together: its role, and the way to the master's daemon. */
import { access, constants, readFile } from 'node:fs/promises'
import { BlockList, isIP } from 'node:net'
import type { Log } from '../daemon/log.ts'
import { type Reloadable, reloadable } from '../daemon/reloadable.ts'
import { Failure, messageChain } from '../failure.ts'
import type { App, RequestHeaders } from '../http/message.ts'
import type { Client } from '../http/service.ts'
import type { Certificate } from '../http/tls.ts'
import { ForwardMetrics } from '../metrics/forward-metrics.ts'
import type { HttpMetrics } from '../metrics/http-metrics.ts'
import type { Resource } from '../resources/resource.ts'
import { createAnyNodeApp } from './any-node-app.ts'
import { connect, type Target, type Trust } from './connect.ts'
import { clientBehind, FORWARDED } from './forwarded-header.ts'
import { Forwarder } from './forwarder.ts'
import { MasterClient } from './master-client.ts'
import { type NodeRole, watchNodeRole } from './node-role.ts'
import { TrustedCertificates } from './trusted-certificates.ts'

export interface AnyNodeOptions {
  /** The folder of the `ssconf_*` files. */
  readonly ssconfDir: string
  /** The configuration that Ganeti copies to candidates. */
  readonly configData: string
  /** The name of this node. */
  readonly self: string
  /** The port of this daemon, and of the master's. */
  readonly port: number
  /** The address that this daemon listens on; undefined for all. */
  readonly host: string | undefined
  /** The certificate of this daemon; undefined for plain HTTP. */
  readonly certificate: Reloadable<Certificate | undefined>
  /** A file with issuers of the certificates of all nodes, if each has its own. */
  readonly issuers: string | undefined
  readonly log: Log
}

export class AnyNode {
  readonly metrics: ForwardMetrics
  readonly #options: AnyNodeOptions
  readonly #role: Reloadable<NodeRole>
  readonly #trust: OpenTrust
  readonly #client: MasterClient
  readonly #forwarder: Forwarder

  /**
   * Reads what this node is.
   * @throws Failure `configuration` if that is not known, or the issuers cannot be read
   */
  static async open(options: AnyNodeOptions): Promise<AnyNode> {
    const role = await watchNodeRole(options.ssconfDir, options.self, options.log)
    try {
      return new AnyNode(options, role, await openTrust(options))
    } catch (error) {
      role.close()
      throw error
    }
  }

  private constructor(options: AnyNodeOptions, role: Reloadable<NodeRole>, trust: OpenTrust) {
    this.#options = options
    this.#role = role
    this.#trust = trust
    this.metrics = new ForwardMetrics(() => role.current.role)
    this.#client = new MasterClient({ trust: trust.trust })
    this.#forwarder = new Forwarder({ client: this.#client, port: options.port })
    let { role: before, master } = role.current
    role.onChange((now) => {
      if (now.role !== before || now.master !== master) this.#forwarder.endStreams()
      ;({ role: before, master } = now)
    })
  }

  get isMaster(): boolean {
    return this.#role.current.role === 'master'
  }

  /** The version of Ganeti on this node. */
  get version(): NodeRole['version'] {
    return this.#role.current.version
  }

  /** Gives what makes of an application one that forwards what that cannot answer here. */
  around(resources: readonly Resource[], http: HttpMetrics): (app: App) => App {
    const options = { role: () => this.#role.current, resources, http }
    return (app) => createAnyNodeApp({ app, ...options, forwarder: this.#forwarder, metrics: this.metrics })
  }

  /** See Service. */
  clientBehind = (address: string, headers: RequestHeaders): Client | undefined =>
    clientBehind(address, headers[FORWARDED], this.#role.current)

  /** @throws Failure unless this is the master */
  checkMaster(): void {
    const { role, self, master } = this.#role.current
    if (role !== 'master')
      throw new Failure('unavailable', `${self} is not the master node, which is ${master}`)
  }

  /**
   * Checks that requests can be answered where this is not the master: by the master, or from the configuration.
   * @throws Failure with the reason
   */
  async check(): Promise<void> {
    const { role } = this.#role.current
    if (role === 'master') return
    if (role === 'candidate') await this.#checkConfig()
    else await this.#checkConnection()
  }

  /** Logs what will not work as the nodes are set up now. */
  async warn(): Promise<void> {
    const { host, log } = this.#options
    const say = (error: unknown) => log.warning(messageChain(error))
    if (host !== undefined && isLoopback(host)) {
      const when = this.isMaster ? '' : ', when this is the master'
      log.warning(`Other nodes cannot forward requests to this one${when}: it listens on ${host} alone`)
    }
    if (this.isMaster) return
    await this.#checkConnection().catch((error) => {
      const what =
        'the daemon there must run, with a certificate that is trusted here, and listen on its address (-b)'
      say(new Failure('no-master', `Cannot forward now: ${messageChain(error)}`, { nextStep: what }))
    })
    if (this.#role.current.role === 'candidate') await this.#checkConfig().catch(say)
  }

  async reload(): Promise<void> {
    await Promise.all([this.#role.reload(), this.#trust.reload()])
  }

  close(): void {
    this.#role.close()
    this.#trust.close()
    this.#forwarder.endStreams()
    this.#client.close()
  }

  async #checkConnection(): Promise<void> {
    const { master: name, masterAddress: address } = this.#role.current
    if (address === undefined)
      throw new Failure('no-master', `the address of the master node ${name} is not known`)
    const target: Target = { name, address, port: this.#options.port }
    const socket = await connect(target, this.#trust.trust)
    socket.destroy()
  }

  async #checkConfig(): Promise<void> {
    const { configData } = this.#options
    await access(configData, constants.R_OK).catch((cause) => {
      const message = `cannot read ${configData}, from which requests are answered while the master is away`
      throw new Failure('configuration', message, {
        cause,
        nextStep: 'on Debian: adduser gnt-rapi gnt-confd',
      })
    })
  }
}

/** How the master's daemon is known, and what must be read again for that. */
interface OpenTrust {
  readonly trust: Trust | undefined
  reload(): Promise<unknown>
  close(): void
}

async function openTrust({ issuers: path, certificate, log }: AnyNodeOptions): Promise<OpenTrust> {
  const nothing = { reload: async () => {}, close: () => {} }
  const first = certificate.current
  if (!first) return { trust: undefined, ...nothing }
  if (path === undefined) {
    const certificates = new TrustedCertificates(first)
    certificate.onChange((next) => next && certificates.replace(next))
    return { trust: { kind: 'pinned', certificates }, ...nothing }
  }
  const issuers = await reloadable({
    name: 'the issuers of certificates',
    load: () => readIssuers(path),
    watch: [path],
    log,
  })
  const trust: Trust = {
    kind: 'issued',
    get issuers() {
      return issuers.current
    },
  }
  return { trust, reload: () => issuers.reload(), close: () => issuers.close() }
}

async function readIssuers(path: string): Promise<string> {
  const text = await readFile(path, 'latin1').catch((cause) => {
    throw new Failure('configuration', `SSL certificate file '${path}' cannot be read`, { cause })
  })
  if (!text.includes('-----BEGIN CERTIFICATE-----')) {
    throw new Failure('configuration', `SSL certificate file '${path}' holds no certificate`)
  }
  return text
}

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4')
LOOPBACK.addAddress('::1', 'ipv6')

function isLoopback(address: string): boolean {
  return LOOPBACK.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
}
