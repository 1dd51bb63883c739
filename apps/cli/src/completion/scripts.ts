/*
 * What each shell is told: for the words on its command line it asks `clickrelay complete`, which answers a word a line,
 * a tab, and what the word means. They run the program as it was typed, so that `./clickrelay` completes too.
 */

const bash = `# clickrelay completion for bash: source <(clickrelay completion bash)
_clickrelay() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    COMPREPLY+=("\${line%%$'\\t'*}")
  done < <("\${COMP_WORDS[0]}" complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _clickrelay clickrelay
`;

const zsh = `#compdef clickrelay
# clickrelay completion for zsh: source <(clickrelay completion zsh)
_clickrelay() {
  local line
  local -a found
  for line in "\${(@f)$("\${words[1]}" complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    [[ -n $line ]] || continue
    found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done
  if (( $#found )); then _describe clickrelay found; else _files; fi
}
compdef _clickrelay clickrelay
`;

const fish = `# clickrelay completion for fish: clickrelay completion fish | source
function __clickrelay_complete
  set -l words (commandline -opc) (commandline -ct)
  set -l found ($words[1] complete -- $words[2..-1] 2>/dev/null)
  if test (count $found) -gt 0
    printf '%s\\n' $found
  else
    __fish_complete_path (commandline -ct)
  end
end
complete -c clickrelay -f -a '(__clickrelay_complete)'
`;

export const SCRIPTS = { bash, zsh, fish } as const;
