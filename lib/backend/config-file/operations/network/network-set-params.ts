import { indexIn, parseIpv4Network } from '../../../../model/address.ts'
import type { Network } from '../../../../model/network.ts'
import { ExternalReservations, poolError } from '../shared/external-reservations.ts'
import { findNetwork } from '../shared/find.ts'
import { macPrefix } from '../shared/mac-prefix.ts'
import { OpError, prerequisite } from '../shared/operation.ts'
import { changeOf, revised } from '../shared/revise.ts'
import { operation, type Run } from '../shared/run.ts'
import { checkGateway6 } from './gateway6.ts'

const NONE = 'none'

export const networkSetParams = operation((run) => {
  const gateway = run.text('gateway')
  const added = run.list('add_reserved_ips').map(String)
  const removed = run.list('remove_reserved_ips').map(String)
  if (gateway !== null && (added.length > 0 || removed.length > 0)) {
    throw prerequisite('Cannot modify gateway and reserved ips at once', 'wrong_input')
  }
  const network = findNetwork(run.config, run.text('network_name') ?? '')
  if (gateway !== null && isGiven(network, gateway)) {
    throw prerequisite(`Gateway IP address '${gateway}' is already reserved`, 'wrong_state')
  }
  const prefix = run.text('mac_prefix')
  const mac_prefix = prefix === null ? network.mac_prefix : prefix === NONE ? null : macPrefix(prefix)
  const network6 = run.text('network6') ?? network.network6
  const gateway6 = run.text('gateway6') ?? network.gateway6
  if (run.isDry) return run.dryRun()

  const pool = new ExternalReservations(run.config, network)
  if (gateway !== null) moveGateway(run, pool, network.gateway, gateway)
  for (const ip of added) orWarn(run, `Cannot reserve IP address ${ip}`, () => pool.reserve(ip))
  for (const ip of removed) {
    if (ip === network.gateway) run.warn("Cannot unreserve Gateway's IP")
    else orWarn(run, `Cannot release IP address ${ip}`, () => pool.release(ip))
  }
  checkGateway6(network6, gateway6)
  const news = {
    gateway: gateway ?? network.gateway,
    mac_prefix,
    network6,
    gateway6,
    ext_reservations: pool.bits,
  }
  return run.done(changeOf('networks', [revised(network, news, run.context.now)]))
})

/**
 * Whether an instance has an address.
 * @throws OpError AddressPoolError for one that is not of the network
 */
function isGiven({ network, reservations }: Network, address: string): boolean {
  const range = parseIpv4Network(network)
  const place = range && indexIn(range, address)
  if (place === undefined) throw poolError(`${network} does not contain ${address}`)
  return reservations[place] === '1'
}

function moveGateway(run: Run, pool: ExternalReservations, old: string | null, gateway: string): void {
  if (gateway === old) {
    run.warn(`Gateway is already ${gateway}`)
    return
  }
  pool.reserve(gateway)
  if (old !== null && !pool.isNeeded(old)) pool.release(old)
}

function orWarn(run: Run, otherwise: string, change: () => void): void {
  try {
    change()
  } catch (error) {
    if (!(error instanceof OpError)) throw error
    run.warn(`${otherwise}: ${error.message}`)
  }
}
