import { COMPLETE, type Shell } from "../command-line/invocation.ts";

/** Completion scripts: each calls `rolefresh __complete` for the candidates, so that no script gets out of date. */

/** The completion script of a shell, for `source <(rolefresh completion bash)` or a file in the shell's own directory. */
export function completionScript(shell: Shell): string {
  return SCRIPTS[shell];
}

/*
 * `__complete` prints a first line `:words`, `:files` or `:command`, then one candidate per line, a tab and its description.
 * `:command` means that another command line begins after `--`.
 */

const BASH = script`# bash completion for rolefresh
#   source <(rolefresh completion bash)
# Sets plain (the word without its quotes), open (the quote that is still open) and kept (the start of the word that
# readline leaves as it is: up to that quote, or up to the last = or : outside quotes).
_rolefresh_unquote() {
    local rest=$1 char outer=
    plain= open= kept=
    while [[ $rest ]]; do
        char=\${rest:0:1} rest=\${rest:1}
        if [[ $char == "$open" ]]; then
            open= kept=$outer
        elif [[ $open == \' ]]; then
            plain+=$char
        elif [[ $char == \\ ]] && [[ -z $open || $rest == [\"\\\$\`]* ]]; then
            plain+=\${rest:0:1} rest=\${rest:1}
        elif [[ -z $open && $char == [\"\'] ]]; then
            open=$char outer=$kept kept=$plain
        else
            plain+=$char
            [[ -z $open && $char == [=:] ]] && kept=$plain
        fi
    done
}
# Sets value: the text as it must be typed in the quote that is open. ! has no escape inside double quotes.
_rolefresh_quote() {
    local rest=$1 char
    value=
    case $open in
        "")
            [[ $rest ]] && printf -v value %q "$rest"
            ;;
        *)
            while [[ $rest ]]; do
                char=\${rest:0:1} rest=\${rest:1}
                case $open$char in
                    \"[\"\\\$\`]) value+=\\$char ;;
                    \"!) value+='"\!"' ;;
                    \'\') value+="'\\''" ;;
                    *) value+=$char ;;
                esac
            done
            ;;
    esac
}
_rolefresh() {
    local -a words=()
    local word glued= index line directive= value plain open kept
    # bash splits words at = and : (COMP_WORDBREAKS); rolefresh does not.
    for ((index = 1; index <= COMP_CWORD; index++)); do
        word=\${COMP_WORDS[index]}
        if [[ $word =~ ^[=:]+$ ]] && ((\${#words[@]})); then
            words[\${#words[@]}-1]+=$word
            glued=1
        elif [[ $glued ]]; then
            words[\${#words[@]}-1]+=$word
            glued=
        else
            words+=("$word")
        fi
    done
    for index in "\${!words[@]}"; do
        _rolefresh_unquote "\${words[index]}"
        words[index]=$plain
    done
    COMPREPLY=()
    while IFS= read -r line; do
        if [[ -z $directive ]]; then
            directive=$line
            continue
        fi
        value=\${line%%$'\t'*}
        _rolefresh_quote "\${value:\${#kept}}"
        COMPREPLY+=("$value")
    done < <("\${COMP_WORDS[0]}" ${COMPLETE} "\${words[@]}" 2>/dev/null)
    case $directive in
        :files)
            compopt -o default 2>/dev/null || COMPREPLY=($(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}"))
            ;;
        :command)
            for ((index = 1; index < COMP_CWORD; index++)); do
                [[ \${COMP_WORDS[index]} == -- ]] && break
            done
            if declare -F _command_offset >/dev/null; then
                _command_offset $((index + 1))
            elif ((COMP_CWORD == index + 1)); then
                COMPREPLY=($(compgen -c -- "\${COMP_WORDS[COMP_CWORD]}"))
            else
                compopt -o default 2>/dev/null
            fi
            ;;
    esac
}
complete -F _rolefresh rolefresh
`;

const ZSH = script`#compdef rolefresh
# zsh completion for rolefresh
#   source <(rolefresh completion zsh)      after compinit, or this text as _rolefresh in a directory of $fpath
_rolefresh() {
    local -a lines shown
    local line value after
    lines=("\${(@f)$("$words[1]" ${COMPLETE} "\${(@Q)words[2,CURRENT-1]}" "\${(Q)PREFIX}" 2>/dev/null)}")
    case $lines[1] in
        :files)
            [[ $PREFIX == --*=* ]] && compset -P '*='
            _files
            ;;
        :command)
            after=\${words[(i)--]}
            shift $after words
            (( CURRENT -= after ))
            _normal
            ;;
        :words)
            for line in "\${(@)lines[2,-1]}"; do
                value=\${\${line%%$'\t'*}//\\/\\\\}
                shown+=("\${value//:/\\:}:\${line#*$'\t'}")
            done
            _describe -t rolefresh rolefresh shown
            ;;
    esac
}
if [[ $funcstack[1] == _rolefresh ]]; then
    _rolefresh "$@"
else
    compdef _rolefresh rolefresh
fi
`;

const FISH = script`# fish completion for rolefresh
#   rolefresh completion fish | source      or into ~/.config/fish/completions/rolefresh.fish
function __rolefresh_complete
    set -l before (commandline -opc)
    set -l current (commandline -ct)
    # The word without its quotes: with an open one closed, it is whole.
    for end in '' '"' "'"
        set -l plain (string unescape -- $current$end); and set current $plain; and break
    end
    set -l program $before[1]
    set -e before[1]
    set -l lines ($program ${COMPLETE} $before "$current" 2>/dev/null)
    switch "$lines[1]"
        case :files
            set -l option (string match -r -- '^--[^=]*=' $current)
            for path in (__fish_complete_path (string replace -r -- '^--[^=]*=' '' $current))
                echo "$option"$path
            end
        case :command
            set -l words
            set -e before[1..(contains -i -- -- $before)]
            set -q before[1]; and set words (string escape -- $before)
            complete -C (string join ' ' -- $words "$current")
        case :words
            set -e lines[1]
            printf '%s\n' $lines
    end
end
complete -c rolefresh -f -a '(__rolefresh_complete)'
`;

/** The text of a script; `\\${` in it is the shell's own `${`. */
function script(text: TemplateStringsArray, ...values: readonly string[]): string {
  return String.raw(text, ...values).replaceAll("\\${", "${");
}

const SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH };
