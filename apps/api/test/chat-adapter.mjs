/** An adapter whose destinations can be declared, and nothing more. */
export default ({ z }) => ({
  type: 'chat',
  config: z.object({
    room: z.string(),
    apiToken: z.string().min(5, { error: 'apiToken must have 5 characters' }).optional(),
    login: z.object({ user: z.string(), password: z.string() }).optional(),
  }),
  shown: ['room'],
  open: () => ({ deliver: async () => ({ status: null, response: '' }), close: async () => {} }),
});
