import { expect } from 'vitest';

/** Elements without an end. */
const voids = new Set(['meta', 'img', 'br', 'input']);
/** Attributes whose names have capitals: those of SVG. */
const attribute = '(?:\\s[a-zA-Z-]+(?:="[^"<]*")?)*';

/** What is not well-formed in a page: tags that do not match, attributes without quotes, bare < > & or ". */
export function faultsIn(page: string): string[] {
  const open: string[] = [];
  const faults: string[] = [];
  const body = page
    .replace(/^<!doctype html>\n/, '')
    .replace(/<style>[^<]*<\/style>/, '')
    .replace(/<script>.*?<\/script>/s, '');
  const pattern = new RegExp(`<(/?)([a-z][a-z0-9]*)(${attribute})(/?)>|([^<>]+)|([<>])`, 'g');
  for (const [all, ending, tag, , closed, text, bare] of body.matchAll(pattern)) {
    const isWrong =
      text === undefined
        ? bare !== undefined || (ending === '/' && open.pop() !== tag)
        : /["']|&(?!(amp|lt|gt|quot|#39);)/.test(text);
    if (isWrong) faults.push(all);
    else if (tag !== undefined && ending === '' && closed === '' && !voids.has(tag)) open.push(tag);
  }
  return [...faults, ...open];
}

/** Refuses a page that asks for anything beside itself, or runs anything but the one script that its policy names. */
export function expectAlone(page: string): void {
  const [, policy] = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page)!;
  expect(policy).toMatch(/^default-src 'none'; img-src data:; style-src 'unsafe-inline'(; script-src 'sha256-[\w+/=]+')?$/);
  const body = page.replace(/<script>.*?<\/script>/s, '');
  expect(body).not.toMatch(/<(script|link|iframe|object|embed|base|form)\b/i);
  const tags = body.match(/<[a-z][^>]*>/g)!.join('');
  expect(tags).not.toMatch(/\s(on\w+|srcset|action|style)="/);
  // links lead to places of the page itself
  for (const [, target] of tags.matchAll(/\shref="([^"]*)"/g)) {
    expect(target).toMatch(/^#/);
    expect(page).toContain(` id="${target!.slice(1)}"`);
  }
  expect(page).not.toMatch(/https?:\/\//);
  // every drawing has a title and a text, which are there
  for (const [, ids] of page.matchAll(/<svg[^>]*aria-labelledby="([^"]*)"/g))
    for (const id of ids!.split(' ')) expect(page).toContain(`id="${id}"`);
  expect((page.match(/<svg/g) ?? []).length).toBe((page.match(/<svg[^>]*role="img" aria-labelledby/g) ?? []).length);
}
