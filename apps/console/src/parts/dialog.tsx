import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { wordsOf } from '../words.ts';

interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

/** A question in front of the page. Esc closes it, and the focus returns to where it was. */
const Dialog = ({ title, onClose, children }: DialogProps) => {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = ref.current;
    dialog?.showModal();
    // A dialog that is taken away while it is open gives the focus to nobody.
    return () => dialog?.close();
  }, []);
  return (
    <dialog ref={ref} aria-labelledby={id} onClose={onClose}>
      <h2 id={id}>{title}</h2>
      {children}
    </dialog>
  );
};

interface AskProps extends DialogProps {
  /** What the button says: what is done, and to how many. */
  readonly action: string;
  readonly isDanger?: boolean;
  /** What must be typed first: a name, or a number. */
  readonly typed?: string | undefined;
  /** Closes the dialog when it is done; what is refused is shown in it. */
  readonly onDo: (form: FormData) => Promise<unknown>;
}

/** Asks before something is done, and says what is lost by it. */
export const Ask = ({ title, action, isDanger = false, typed, onDo, onClose, children }: AskProps) => {
  const [text, setText] = useState('');
  const [error, setError] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const run = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      await onDo(new FormData(event.currentTarget as HTMLFormElement));
      onClose();
    } catch (refused) {
      setError(wordsOf(refused));
      setBusy(false);
    }
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form class="stack" onSubmit={run}>
        {children}
        {typed !== undefined && (
          <label class="field">
            <span>
              Type <b class="mono">{typed}</b> to go on
            </span>
            <input
              autocomplete="off"
              spellcheck={false}
              value={text}
              onInput={({ currentTarget }) => setText(currentTarget.value)}
            />
          </label>
        )}
        {error !== undefined && (
          <p role="alert" class="bad">
            {error}
          </p>
        )}
        <div class="chips">
          <button class="btn" type="button" onClick={onClose}>
            Leave it
          </button>
          <span class="grow" />
          <button
            class={`btn ${isDanger ? 'fatal' : 'primary'}`}
            type="submit"
            disabled={isBusy || (typed !== undefined && text.trim() !== typed)}
          >
            {action}
          </button>
        </div>
      </form>
    </Dialog>
  );
};
