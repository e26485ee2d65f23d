/**
 * What differs from the original on a real cluster, besides what differs
 * everywhere (test/differential/differences.ts): meant, each with its reason.
 */
import { type Difference, MEANT } from '../differential/differences.ts'

/** Matched against the same lines. */
export const LIVE_DIFFERENCES: readonly Difference[] = [
  ...MEANT.filter(({ where }) => !where.source.includes('extstorage')),
  {
    where: /^\/2\/openapi\.json status: 404 .* -> 200/,
    reason: 'the description of the API is ours',
  },
  {
    where: /^\/2\/whoami status: 404 .* -> 200/,
    reason: 'what a client may do is ours to tell',
  },
  {
    where: /^\/2\/query\/(os|cluster)\b\S* status: 500 .* -> 200/,
    reason: 'these can be queried here, by way of a job',
  },
  {
    where: /^\/2\/query\/extstorage\b\S* status: 502 .* -> 400/,
    reason: 'the master daemon cannot be asked for it, which is the fault of the request, not of a gateway',
  },
  {
    where: /^\/2\/jobs\/\d+ status: 200 .* -> 404 "Not Found"/,
    reason: "an unknown job is not found, as Ganeti's documentation says",
  },
  {
    where: /^\/2\/jobs\/\d+\/wait status: 500 "(list indices|&#x27;NoneType)[^"]*" -> 400 "Body contents/,
    reason: 'no object where one is expected: a Python exception there',
  },
  {
    where: /^\/2\/jobs\/\d+\/wait status: 500 "Can&#x27;t load job file" -> 404 "Not Found"/,
    reason: 'an unknown job is not found',
  },
]

/** What moves between two readings, though they be asked for at the same moment. */
export const MOVING = /^\/2\/(nodes|query\/node)\b.* (dfree|mfree|mnode)( 1)?: \d+ -> \d+$/

/** Of requests for changes; lines begin with method, target and body. */
export const CHANGE_DIFFERENCES: readonly Difference[] = [
  {
    where: /^PUT \/2\/instances\/inst3\S*\/modify \[1\] status: 500 "list indices .* -> 400 "Body contents/,
    reason: 'a list where an object is expected: a Python exception there',
  },
  {
    where: /^PUT \/2\/modify {2}status: 500 "&#x27;NoneType.* -> 200 /,
    reason: 'no body is no change: a Python exception there',
  },
  {
    where:
      /^PUT \/2\/query\/instance\?fields=name .* status: 500 "Unexpected value .* -> 400 "Unexpected value /,
    reason: 'the filter is at fault',
  },
]
