/**
 * Completion scripts: a few lines a shell that ask `lockyard complete` for words, so that they are never out of date. When
 * nothing is known the shell completes file names as ever.
 */
export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

export function completionScript(shell: Shell): string {
  switch (shell) {
    case "bash":
      return BASH;
    case "zsh":
      return ZSH;
    case "fish":
      return FISH;
  }
}

const BASH = `# lockyard completion for bash. In ~/.bashrc: eval "$(lockyard completion bash)"
_lockyard() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    COMPREPLY+=("$(printf '%q' "\${line%%$'\\t'*}")")
  done < <(lockyard complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _lockyard lockyard
`;

const ZSH = `#compdef lockyard
# lockyard completion for zsh. In ~/.zshrc, after compinit: eval "$(lockyard completion zsh)"
_lockyard() {
  local -a words_found
  local line
  while IFS= read -r line; do
    words_found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done < <(lockyard complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( \${#words_found} )); then _describe 'lockyard' words_found; else _files; fi
}
compdef _lockyard lockyard
`;

const FISH = `# lockyard completion for fish. lockyard completion fish > ~/.config/fish/completions/lockyard.fish
function __lockyard_complete
    set -l words (commandline -opc) (commandline -ct)
    lockyard complete -- $words[2..] 2>/dev/null
end
complete -c lockyard -a '(__lockyard_complete)'
`;
