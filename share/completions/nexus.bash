# What bash completes behind nexus. What may follow is told by nexus itself, quoted as it has to be.

_nexus() {
  local line=${COMP_LINE-} mark answer
  line=${line:0:${COMP_POINT:-0}}
  if [[ -z $line ]]; then
    # Whoever calls this without a line has the words alone, which bash splits at = and :, too.
    local IFS=' '
    line="${COMP_WORDS[*]:0:COMP_CWORD+1}"
    for mark in = :; do
      line=${line// $mark /$mark}
      line=${line/% $mark/$mark}
    done
  fi
  mapfile -t answer < <(command nexus __complete bash "$line" "${COMP_WORDBREAKS-}" 2>/dev/null)
  COMPREPLY=()
  case ${answer[0]-} in
    words) COMPREPLY=("${answer[@]:2}") ;;
    file) compopt -o default 2>/dev/null ;;
    program) _nexus_program "$2" ;;
  esac
}

# Behind `nexus exec … --`: what bash completes for that program.
_nexus_program() {
  local -i first
  for ((first = 1; first <= COMP_CWORD; first++)); do
    [[ ${COMP_WORDS[first - 1]} == -- ]] && break
  done
  if declare -F _comp_command_offset >/dev/null; then
    _comp_command_offset "$first"
  elif declare -F _command_offset >/dev/null; then
    _command_offset "$first"
  elif ((first == COMP_CWORD)); then
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -c -- "$1")
  else
    compopt -o default 2>/dev/null
  fi
}

complete -F _nexus nexus
