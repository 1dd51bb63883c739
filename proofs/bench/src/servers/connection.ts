/** BullMQ's connection options for a `redis://` URL. */
export const connectionOf = (redisUrl: string) => {
  const { hostname, port } = new URL(redisUrl);
  return { host: hostname, port: Number(port), maxRetriesPerRequest: null };
};
