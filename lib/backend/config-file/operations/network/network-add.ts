import type { Network } from '../../../../model/network.ts'
import { ExternalReservations } from '../shared/external-reservations.ts'
import { macPrefix } from '../shared/mac-prefix.ts'
import { newTags } from '../shared/new-tags.ts'
import { failure, OpError, prerequisite } from '../shared/operation.ts'
import { changeOf } from '../shared/revise.ts'
import { operation, type Run } from '../shared/run.ts'
import { checkGateway6 } from './gateway6.ts'

/**
 * Makes a network. The addresses of nodes and the master are reserved, and
 * with `conflicts_check` that is told too: in a file they always are.
 */
export const networkAdd = operation((run) => {
  const mac_prefix = macPrefix(run.text('mac_prefix'))
  const name = run.text('network_name') ?? ''
  const { networks } = run.config
  const existing = networks.byUuid.get(name) ?? networks.byName.get(name)
  if (existing) {
    throw prerequisite(
      `Desired network name '${name}' already exists as a network (UUID: ${existing.uuid})`,
      'already_exists',
    )
  }
  const tags = newTags(run.list('tags').map(String))
  if (run.isDry) return run.dryRun()

  const gateway = run.text('gateway')
  const addresses = run.text('network') ?? ''
  const pool = newPool(run, name, addresses, gateway)
  if (run.flag('conflicts_check')) tellOwnAddresses(run, pool, gateway)
  for (const ip of run.list('add_reserved_ips').map(String)) reserve(pool, ip)
  const network6 = run.text('network6')
  const gateway6 = run.text('gateway6')
  checkGateway6(network6, gateway6)
  const { now, newUuid } = run.context
  const ext_reservations = pool.bits
  const network: Network = {
    uuid: newUuid(),
    name,
    network: addresses,
    gateway,
    network6,
    gateway6,
    mac_prefix,
    reservations: '0'.repeat(ext_reservations.length),
    ext_reservations,
    ctime: now,
    mtime: now,
    serial_no: 1,
    tags,
  }
  return run.done(changeOf('networks', [network]))
})

function newPool(
  { config }: Run,
  name: string,
  addresses: string,
  gateway: string | null,
): ExternalReservations {
  try {
    return ExternalReservations.forNew(config, addresses, gateway)
  } catch (error) {
    if (!(error instanceof OpError)) throw error
    throw failure(`Cannot create IP address pool for network '${name}': ${error.message}`)
  }
}

function tellOwnAddresses(run: Run, pool: ExternalReservations, gateway: string | null): void {
  const { nodes, cluster } = run.config
  const own = nodes.all.flatMap(({ name, primary_ip, secondary_ip }) =>
    [primary_ip, secondary_ip].map((ip) => ({
      ip,
      done: `Reserved IP address of node '${name}' (${ip})`,
      failed: `Cannot reserve IP address '${ip}' of node '${name}'`,
    })),
  )
  const { master_ip } = cluster
  own.push({
    ip: master_ip,
    done: `Reserved cluster master IP address (${master_ip})`,
    failed: `Cannot reserve cluster master IP address (${master_ip})`,
  })
  const reserved = new Set([gateway])
  for (const { ip, done, failed } of own.filter((one) => pool.has(one.ip))) {
    if (reserved.has(ip)) run.warn(`${failed}: IP ${ip} is already externally reserved`)
    else run.info(done)
    reserved.add(ip)
  }
}

function reserve(pool: ExternalReservations, ip: string): void {
  try {
    pool.reserve(ip)
  } catch (error) {
    if (!(error instanceof OpError)) throw error
    throw failure(`Cannot reserve IP address '${ip}': ${error.message}`)
  }
}
