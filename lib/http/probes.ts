/**
 * `/livez` and `/readyz`, as kube-apiserver has them, for load balancers and
 * supervisors: plain text, open to everyone, and independent of everything that
 * a busy daemon makes others wait for. They are no resources of the API, so they
 * are not in its lists, and get no line in the log.
 *
 *     /readyz                  ok, or 503 and one line for each check
 *     /readyz?verbose          one line for each check
 *     /readyz?exclude=NAME     without a check; may be repeated
 *     /readyz/NAME             a single check
 */
import type { Health } from '../daemon/health.ts'
import type { Request, Response } from './message.ts'
import { pathOf } from './router.ts'
import { failureResponse, HttpError } from './status.ts'

/** The paths of all probes, with or without the name of a check. */
const PROBE = /^\/(?:livez|readyz)(?:[/?]|$)/

const HEADERS = ['Cache-Control', 'no-store', 'X-Content-Type-Options', 'nosniff']

/** Whether a target is that of a probe. */
export function isProbe(target: string): boolean {
  return PROBE.test(target)
}

/** Gives the answer to a probe; undefined for any other request. */
export type Probes = (request: Pick<Request, 'method' | 'target'>) => Promise<Response> | undefined

/** @param groups the checks of each path, named as the path without its slash */
export function createProbes(groups: readonly Health[]): Probes {
  const answer = async ({ method, target }: Pick<Request, 'method' | 'target'>): Promise<Response> => {
    const path = pathOf(target)
    const [, name, single] = path.split('/', 3)
    const group = groups.find((one) => one.name === name)
    const isThere = single === undefined ? path === `/${name}` : path === `/${name}/${single}`
    if (!group || !isThere || (single !== undefined && !group.names.includes(single)))
      throw new HttpError(404)
    if (method !== 'GET' && method !== 'HEAD') {
      throw new HttpError(501, `Method ${method} is unsupported for path ${path}`)
    }
    return check(group, single, new URLSearchParams(target.slice(path.length)))
  }
  return (request) => {
    if (!isProbe(request.target)) return undefined
    return answer(request)
      .catch(failureResponse)
      .then((response) => ({ ...response, quiet: true }))
  }
}

async function check(group: Health, single: string | undefined, query: URLSearchParams): Promise<Response> {
  const names = single === undefined ? group.usual : [single]
  const asked = new Set(query.getAll('exclude'))
  const excluded = new Set(group.names.filter((name) => !names.includes(name) || asked.has(name)))
  const failing = await group.failing(excluded)
  if (failing.size === 0 && !query.has('verbose')) return plainText(200, 'ok')
  const lines = names.map((name) => {
    if (failing.has(name)) return `[-]${name} failed: the log says why`
    return excluded.has(name) ? `[+]${name} excluded` : `[+]${name} ok`
  })
  const unknown = [...asked].filter((name) => !group.names.includes(name))
  if (unknown.length > 0) lines.push(`warning: ${unknown.length} excluded names are not those of checks`)
  lines.push(`${group.name} check ${failing.size > 0 ? 'failed' : 'passed'}`)
  return plainText(failing.size > 0 ? 503 : 200, `${lines.join('\n')}\n`)
}

function plainText(status: number, text: string): Response {
  return { status, type: 'text/plain; charset=utf-8', headers: HEADERS, body: Buffer.from(text) }
}
