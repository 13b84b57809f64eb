export const plugin = null;
