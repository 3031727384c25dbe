"""Asks a shell, on a terminal, what it would complete: complete.py SHELL DIRECTORY LINE...

For each LINE a list of words: all that the shell inserts at its end, as the arguments
that a command of that name would get. DIRECTORY has the completions.
"""
import os
import pty
import select
import sys
import time

shell, directory, *lines = sys.argv[1:]

# Both insert all matches at once, so that they are what the command gets.
setup = {
    "bash": f"""
bind 'set bell-style none'; bind 'set enable-bracketed-paste off'; bind '"\\C-xa": insert-completions'
[ ! -r /usr/share/bash-completion/bash_completion ] || . /usr/share/bash-completion/bash_completion
. {directory}/halfclose.bash
complete -W 'alpha beta' demo
""",
    "zsh": f"""
unsetopt zle_bracketed_paste prompt_cr prompt_sp; PS2=
fpath=({directory} $fpath); autoload -U compinit; compinit -u -D
zle -C all-matches complete-word _generic; bindkey '^Xa' all-matches
zstyle ':completion:all-matches:*' completer _all_matches _complete
zstyle ':completion:all-matches:*' insert true
demo() {{ }}; _demo() {{ compadd alpha beta }}; compdef _demo demo
""",
}
start = {"bash": ["bash", "--norc", "--noprofile", "-i"], "zsh": ["zsh", "-f", "-i"]}

pid, terminal = pty.fork()
if pid == 0:
    os.environ.update(TERM="dumb" if shell == "bash" else "xterm", PS1="", LC_ALL="C.UTF-8", INPUTRC="/dev/null")
    os.execvp(start[shell][0], start[shell])

seen = b""


def wait_for(text):
    global seen
    until = time.monotonic() + 60
    while text not in seen:
        left = until - time.monotonic()
        if left <= 0 or not select.select([terminal], [], [], left)[0]:
            sys.exit(f"{shell} did not say {text!r}, but {seen[-2000:]!r}")
        seen += os.read(terminal, 65536)
    before, seen = seen.split(text, 1)
    return before


def type_in(text):
    os.write(terminal, text.encode())


type_in("PS1=; stty -echo 2>/dev/null\n" + setup[shell].strip() + "\n")
type_in("halfclose() { printf '%s' BEG'IN '; printf '<%s>' \"$@\"; printf '%s\\n' ' E'ND; }\n")
type_in("halfclose-drain() { halfclose \"$@\"; }; printf '%s\\n' REA'DY'\n")
wait_for(b"READY")
for line in lines:
    type_in(line + "\x18a\n")
    wait_for(b"BEGIN ")
    print(wait_for(b" END").decode())
type_in("exit\n")
