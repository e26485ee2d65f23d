import type { Recorded } from './recorded.ts'

export interface Network extends Recorded {
  readonly name: string
  /** IPv4 network in CIDR form. */
  readonly network: string
  readonly gateway: string | null
  readonly network6: string | null
  readonly gateway6: string | null
  readonly mac_prefix: string | null
  /** One character for each address of the network, `1` where it is taken by an instance. */
  readonly reservations: string
  /** The same for external reservations. */
  readonly ext_reservations: string
}
