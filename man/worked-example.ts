/** A request as one would type it, and what the sample cluster answers. */
import type { Backend } from '../lib/backend/backend.ts'
import { Failure } from '../lib/failure.ts'
import type { Json } from '../lib/json/json.ts'
import { namesIn } from '../lib/resources/path-names.ts'
import { QueryString } from '../lib/resources/query-string.ts'
import { type Method, type MethodName, plainAnswer } from '../lib/resources/resource.ts'
import { layOut } from './json-layout.ts'

/** The source of example answers. */
export interface Sample {
  readonly backend: Backend
  /** Values for the names in braces of paths, e.g. `node_name`; a path with other names has no example. */
  readonly names: { readonly [name: string]: string }
}

export interface WorkedExample {
  /** A command line; its lines but the first continue it. */
  readonly command: string
  readonly answer: Json
}

const NEVER = new AbortController().signal
const ORIGIN = 'https://localhost:5080'

/**
 * Makes a request.
 * @returns undefined without an example, or if only a running cluster can answer
 */
export async function workedExample(
  path: string,
  name: MethodName,
  method: Method,
  { backend, names }: Sample,
  width: number,
): Promise<WorkedExample | undefined> {
  const { names: own = {}, query = '', body } = method.example ?? {}
  const params = { ...names, ...own }
  if (name !== 'GET' && !method.example) return undefined
  if (!namesIn(path).every((one) => one in params)) return undefined
  try {
    const answer = await method.handle({
      params,
      query: new QueryString(query),
      body,
      user: 'rclient',
      backend,
      patience: 0,
      signal: NEVER,
    })
    const target = path.replaceAll(/{(\w+)}/g, (_, one) => params[one] ?? '') + (query && `?${query}`)
    const command = [
      'curl --cacert certs/rapi.pem',
      ...(method.access.length > 0 ? ['-u rclient:secret'] : []),
      ...(name === 'GET' && body === undefined ? [] : [`-X ${name}`]),
    ].join(' ')
    return { command: withTarget(command, quoted(ORIGIN + target), body, width), answer: plainAnswer(answer) }
  } catch (error) {
    // Some requests can be answered only by a running cluster.
    if (error instanceof Failure) return undefined
    throw error
  }
}

/** A request for what happens, of which there is no answer to show. */
export function followingExample(path: string, { example }: Method): string {
  return `curl --cacert certs/rapi.pem -N ${quoted(`${ORIGIN}${path}?${example?.query ?? ''}`)}`
}

function withTarget(command: string, url: string, body: Json | undefined, width: number): string {
  if (body === undefined) return `${command}${command.length + url.length < width ? '' : ' \\\n '} ${url}`
  const oneLine = layOut(body, Number.POSITIVE_INFINITY)
  const end = `--json ${inShell(oneLine)} ${url}`
  if (command.length + end.length < width) return `${command} ${end}`
  if (end.length + 2 <= width) return `${command} \\\n  ${end}`
  return `${command} --json ${inShell(layOut(body, Math.min(width, oneLine.length - 1)))} ${url}`
}

/** A URL for a shell. */
function quoted(url: string): string {
  return /[?&]/.test(url) ? inShell(url) : url
}

function inShell(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
