import { parseIpv6Network } from '../../../../model/address.ts'
import { failure } from '../shared/operation.ts'

/** @throws OpError where a gateway has no network around it, which in Ganeti is an assertion that fails */
export function checkGateway6(network6: string | null, gateway6: string | null): void {
  if (gateway6 === null) return
  const holds = network6 === null ? undefined : parseIpv6Network(network6)
  if (!holds?.(gateway6)) {
    throw failure(
      network6 === null
        ? `Gateway ${gateway6} needs an IPv6 network`
        : `IPv6 network ${network6} does not contain gateway ${gateway6}`,
    )
  }
}
