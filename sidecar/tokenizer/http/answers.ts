import { problem, type Problem } from '../../../errors/problem.ts';
import type { TokenmeshError } from '../../../errors/error.ts';
import { shownAs } from '../core/errors.ts';
import type { Archived, Replaced, Revealed, TokenDescription, Tokenized } from '../core/vault.ts';

export function tokenizedAnswer({ token, createdAt, expiresAt, format, version }: Tokenized): object {
  return {
    token,
    ...instants({ createdAt, expiresAt }),
    ...(format === undefined ? {} : { format }),
    ...(version === undefined ? {} : { version }),
  };
}

export function archivedAnswer({ token, archivedAt }: Archived): object {
  return { token, ...(archivedAt === undefined ? {} : { archivedAt: archivedAt.toISOString() }) };
}

export function replacedAnswer({ token, version }: Replaced): object {
  return { token, version };
}

export function revealedAnswer({ fields }: Revealed): object {
  const shown = [...fields].map(([name, { value, form }]) => [name, { value, form }] as const);
  return { fields: Object.fromEntries(shown) };
}

export function descriptionAnswer(description: TokenDescription): object {
  const { token, tenant, kind, format, version, archivedAt, subject, fields } = description;
  return {
    token,
    tenant,
    ...instants(description),
    kind,
    format,
    ...(version === undefined ? {} : { version }),
    ...(archivedAt === undefined ? {} : { archivedAt: archivedAt.toISOString() }),
    ...(subject === undefined ? {} : { subject }),
    fields: Object.fromEntries([...fields].map(([name, fieldClass]) => [name, { class: fieldClass }])),
  };
}

/** The same document that the request would have been answered with, had the item been alone. */
export function itemProblem(error: TokenmeshError): Problem {
  const shown = shownAs(error);
  if (shown === undefined) throw error;
  return problem({ code: error.code, ...shown, detail: error.message, remedy: error.remedy });
}

function instants({ createdAt, expiresAt }: { createdAt: Date; expiresAt?: Date | undefined }): object {
  return {
    createdAt: createdAt.toISOString(),
    ...(expiresAt === undefined ? {} : { expiresAt: expiresAt.toISOString() }),
  };
}
