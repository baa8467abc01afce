# What fish completes behind nexus. What may follow is told by nexus itself.

function __nexus_complete
    set -l words (commandline -opc)
    set -e words[1]
    set -l current (commandline -ct)
    set -l answer (command nexus __complete fish $words "$current" 2>/dev/null)
    switch "$answer[1]"
        case words
            set -e answer[1..2]
            string join \n -- $answer
        case file
            set -l option (string match -r -- '^--[^=]+=' "$current")
            set -l path (string replace -- "$option" '' "$current")
            for file in (__fish_complete_path "$path")
                echo "$option$file"
            end
        case program
            # The words are written again, so that fish completes them as a command of its own.
            set -l dashes (contains -i -- -- $words)
            set -e words[1..$dashes]
            complete -C (string join ' ' -- (string escape -- $words) "$current")
    end
end

complete -c nexus -f -a '(__nexus_complete)'
