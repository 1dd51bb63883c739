const PER_LINE = 16;
/** More than this many bytes are not drawn. */
const MOST = 4_096;

/** Bytes as a person reads them who looks for the one that is wrong: place, hex, text. */
export const Hex = ({ base64 }: { base64: string }) => {
  const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  const lines: string[] = [];
  for (let at = 0; at < Math.min(bytes.length, MOST); at += PER_LINE) {
    const line = [...bytes.subarray(at, at + PER_LINE)];
    const hex = line.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const text = line.map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '.')).join('');
    lines.push(`${at.toString(16).padStart(6, '0')}  ${hex.padEnd(PER_LINE * 3)} ${text}`);
  }
  if (bytes.length > MOST) lines.push(`… ${(bytes.length - MOST).toLocaleString('en')} more bytes`);
  return (
    <details>
      <summary>As hex</summary>
      <pre tabIndex={0}>{lines.join('\n')}</pre>
    </details>
  );
};
