/** Which folders of src are mutated; test/mutation/run.sh says it. The tests in the folders of the same names judge them. */
export const folders = (process.env['NN_MUTATE'] || 'evaluation optimize run').split(' ');
