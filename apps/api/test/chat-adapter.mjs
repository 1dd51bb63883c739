/** An adapter whose destinations can be declared, and nothing more. */
export default ({ z }) => ({
  type: 'chat',
  config: z.object({ room: z.string() }),
  open: () => ({ deliver: async () => ({ status: null, response: '' }), close: async () => {} }),
});
