/** What is mutated: folders of src, or files as folder/name.ts; test/mutation/run.sh says it. */
export const places = (process.env['NN_MUTATE'] || 'evaluation nn run').split(' ');
/** The tests in the folders of the same names judge them. */
export const folders = [...new Set(places.map((place) => place.split('/')[0]))];
