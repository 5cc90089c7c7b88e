/** A table whose entries know their own name. */
export function named<Name extends string, Entry>(entries: Record<Name, Entry>): Record<Name, Entry & { name: Name }> {
  const rows = Object.entries(entries) as [Name, Entry][];
  return Object.fromEntries(rows.map(([name, entry]) => [name, { name, ...entry }])) as Record<Name, Entry & { name: Name }>;
}
