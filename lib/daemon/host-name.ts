import { hostname } from 'node:os'

/** The name of this machine; with GANETI_HOSTNAME, a test may run several nodes on one machine (vcluster.py). */
export function hostName(): string {
  return (process.env.GANETI_ROOTDIR && process.env.GANETI_HOSTNAME) || hostname()
}
