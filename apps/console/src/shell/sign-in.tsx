import { useState } from 'preact/hooks';
import { Icon } from '../parts/icon.tsx';
import { signIn } from '../session.ts';
import { wordsOf } from '../words.ts';

/** The key is exchanged for a session, and kept nowhere in the browser. */
export const SignIn = () => {
  const [error, setError] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    setBusy(true);
    setError(undefined);
    try {
      await signIn(String(new FormData(form).get('key')).trim());
    } catch (refused) {
      setError(wordsOf(refused));
      setBusy(false);
    }
  };
  return (
    <main class="center">
      <section class="card">
        <div class="body">
          <h1 class="title">
            <Icon name="logo" />
            Sign in to Clickrelay
          </h1>
          <form onSubmit={submit}>
            <label class="field">
              API key
              <input
                name="key"
                type="password"
                autocomplete="current-password"
                required
                aria-describedby="key-help"
                aria-invalid={error !== undefined}
              />
            </label>
            <p id="key-help" class="small muted">
              Make one with <code>clickrelay keys create &lt;name&gt; --scopes read</code>. On the machine itself it is{' '}
              <code>apiKey</code> in <code>data/secrets.json</code>.
            </p>
            {error !== undefined && (
              <p role="alert" class="bad">
                {error}
              </p>
            )}
            <button class="btn primary" type="submit" disabled={isBusy}>
              Sign in
            </button>
          </form>
        </div>
      </section>
    </main>
  );
};
