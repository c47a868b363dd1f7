/** A branch key is named as its tenant, a subject's as tenant and subject: docs/record-format.md. No tenant has a slash in its name. */
export function branchKeyIdOf(context: Readonly<Record<string, string>>): string {
  const { tenant = '', subject } = context;
  return subject === undefined ? tenant : `${tenant}/${subject}`;
}
