import { Cluster, Redis } from 'ioredis';
import { afterEach, expect } from 'vitest';

/*
 * Every script of ours declares the keys that it touches: Redis Cluster refuses a script while one of its keys moves to
 * another server, but it looks at the declared ones only. A name that a script makes up would be written on the server
 * that the key has just left.
 *
 * Loaded before the tests of every package that runs scripts (see vitest.shared.ts). Each script then begins with this,
 * which asks Redis for the keys of each command before it is carried out, and refuses one that was not declared. The
 * scripts of BullMQ, which say how many keys they have, are left alone.
 */
const GUARD_LUA = `
local redis = (function(real)
  local declared = {}
  for _, key in ipairs(KEYS) do declared[key] = true end
  local function check(name, ...)
    if name == 'TIME' then return end
    local keys = real.pcall('COMMAND', 'GETKEYS', name, ...)
    for _, key in ipairs(keys) do
      if not declared[key] then error('UNDECLARED key ' .. key .. ' of ' .. name) end
    end
  end
  local guarded = {}
  for _, call in ipairs({ 'call', 'pcall' }) do
    guarded[call] = function(...)
      check(...)
      return real[call](...)
    end
  end
  return setmetatable(guarded, { __index = real })
end)(redis)
`;

const undeclared = new Set<string>();

/** Also where the code under test catches the error. */
const note = (script: string, error: unknown): void => {
  const [said] = /UNDECLARED key .*? of [A-Z]+/.exec(error instanceof Error ? error.message : '') ?? [];
  if (said !== undefined) undeclared.add(`${script}: ${said}`);
};

type Command = (...args: unknown[]) => Promise<unknown>;

const GUARDED = Symbol.for('clickrelay.guarded-scripts');

for (const { prototype } of [Redis, Cluster] as unknown as { prototype: Redis & { [GUARDED]?: true } }[]) {
  // Files that share a process load this several times.
  if (prototype[GUARDED]) continue;
  prototype[GUARDED] = true;
  const { defineCommand } = prototype;
  prototype.defineCommand = function (this: Redis, name, definition) {
    if (definition.numberOfKeys !== undefined) return defineCommand.call(this, name, definition);
    defineCommand.call(this, name, { ...definition, lua: GUARD_LUA + definition.lua });
    const commands = this as unknown as Record<string, Command>;
    const run = commands[name] as Command;
    commands[name] = (...args) => {
      const reply = run.apply(this, args);
      reply.catch((error) => note(name, error));
      return reply;
    };
  };
}

afterEach(() => {
  const found = [...undeclared];
  undeclared.clear();
  expect(found, 'keys that a script of ours touches without declaring them in KEYS').toEqual([]);
});
