import type { Callers, Mesh, Operation } from '../definition.ts';
import { identityOf, memberNames } from '../identity.ts';
import type { EnvoyJson } from './types.ts';

/**
 * Who may call what, deny by default: a request that fits no policy is answered 403.
 *
 * The principal is the DNS name of the verified certificate, matched exactly and never by prefix.
 */
export function rbacFilter(mesh: Mesh, operations: readonly Operation[]): EnvoyJson {
  return {
    name: 'envoy.filters.http.rbac',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC',
      rules: {
        action: 'ALLOW',
        policies: Object.fromEntries(
          operations
            .filter((operation) => operation.callers.length > 0)
            .map((operation) => [
              operation.name,
              { permissions: [permission(operation)], principals: principals(mesh, operation.callers) },
            ]),
        ),
      },
    },
  };
}

/** This method and path. */
export function permission(operation: Pick<Operation, 'method' | 'path'>): EnvoyJson {
  return {
    and_rules: {
      rules: [
        { header: { name: ':method', string_match: { exact: operation.method } } },
        { url_path: { path: pathMatcher(operation.path) } },
      ],
    },
  };
}

function principals(mesh: Mesh, callers: Callers): EnvoyJson[] {
  if (callers === 'anyone') return [{ any: true }];
  const names = callers === 'mesh' ? memberNames(mesh) : callers;
  return names.map((name) => ({ authenticated: { principal_name: { exact: identityOf(mesh, name) } } }));
}

/** A path template as a string matcher of Envoy: exact, or a regular expression with one segment for each parameter. */
export function pathMatcher(template: string): EnvoyJson {
  if (!template.includes('{')) return { exact: template };
  return { safe_regex: { regex: pathRegex(template) } };
}

export function pathRegex(template: string): string {
  return template.replaceAll('.', '\\.').replaceAll(/\{[A-Za-z]+\}/g, '[^/]+');
}
