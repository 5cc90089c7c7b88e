/** @param schema  the JSON Schema of a config
 *  @returns Markdown */
export function configReference(schema: object): string;
