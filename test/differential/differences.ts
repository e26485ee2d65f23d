/**
 * Every difference between a real Ganeti's answers and ours that is meant or
 * cannot be otherwise: the one list of them, each with its reason. A pattern
 * is matched against lines such as
 *
 *     /2/nodes/nosuch/tags status: 500 "..." -> 404 "..."
 *     /2/nodes?bulk=1 body node1.example.com dfree: 77888 -> 77885
 *
 * so it can say what ours has to be. One that no longer matches anything fails
 * the test, as does a difference that none of them matches.
 */
export interface Difference {
  readonly where: RegExp
  readonly reason: string
  /** Whether it is there by chance, so that its absence from a live cluster's answers says nothing. */
  readonly comesAndGoes?: true
}

/** Where the original errs, or where we know better. */
export const MEANT: readonly Difference[] = [
  {
    where: /^\/ body: null -> \[/,
    reason: 'the list of resources that version 1.2 has at / is not worth breaking for a null',
  },
  {
    where: /^\/2\/(nodes|instances|groups|networks)\/nosuch\S*\/(tags|role|console) status: 500 .* -> 404 /,
    reason: 'an unknown name is not the fault of the server',
  },
  {
    where:
      /^\/2\/(nodes|instances|groups|networks|filters)\/(nosuch|0000)\S* body detail: (absent|nothing|undefined) -> ".* not found"$/,
    reason: 'a further key says what was not found',
  },
  {
    where: /^\/2\/nodes\/node1.example.com\?lock=1 status: 500 .* -> 200/,
    reason: 'nothing is locked for a reading, so a client that asks for it gets its answer',
  },
  {
    where: /^\/2\/query\/(os|cluster|extstorage)\b\S* status: 50[02] .* -> 200/,
    reason: 'these can be queried here',
  },
  {
    where: /^\/2\/query\/bogus\S* status: 502 .* -> 400 "Unknown query resource/,
    reason: 'a query for what there is not is the fault of the request, not of a gateway',
  },
  {
    where: /^\/2\/features body \d: /,
    reason: 'the original lists a set, in an order that is another at each of its starts',
    comesAndGoes: true,
  },
]

/** What a file cannot tell or do. */
const NOT_IN_A_FILE: readonly Difference[] = [
  {
    where: /^\/2\/os body as a whole: \[.*\] -> \[\]$/,
    reason: 'OSes lie on the nodes, which nobody asks',
  },
  {
    where: /^\/2\/(nodes\/\S+\/storage|instances\/\S+\/info)\S* status: 200 .* -> 503 "No job can be taken/,
    reason: 'the answer is the id of a job, and there are none',
  },
  {
    where: /\binst[679]\.example\.com (oper_(ram|state|vcpus)|status)( [01])?: /,
    reason: 'did not run as configured (ERROR_down, ERROR_up, ERROR_wrongnode), which only nodes can tell',
  },
  {
    where: /^\/2\/instances\/inst[679]\.example\.com(\/console status: (200|503)| body (oper_\w+|status): )/,
    reason: 'did not run as configured, so there were consoles where we know of none, and none where we do',
  },
]

/** What comes of how the answers were recorded. */
const RECORDING: readonly Difference[] = [
  {
    where: /^\/2\/(nodes|query\/node)\b.* (dfree|mfree|mnode)( \d)?: \d+ -> \d+$/,
    reason: 'free space and memory moved between the recordings',
  },
  {
    where: /^\/2\/(info|tags) body( tags)? as a whole: .*\] -> \[.*,"x"\]$/,
    reason: 'the cluster got a tag after the recordings',
  },
  { where: /^\/2\/info body mtime: /, reason: 'the cluster got a tag after the recordings' },
  { where: /^\/2\/info body vcs_version: /, reason: "names the revision of Debian's package" },
]

export const DIFFERENCES: readonly Difference[] = [...MEANT, ...NOT_IN_A_FILE, ...RECORDING]
