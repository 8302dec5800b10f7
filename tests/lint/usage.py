#!/usr/bin/env python3
"""Every verb and option that the launcher takes is in its manual page, its help
and its completion, and none is in these that it does not take.

What it takes is read from userland/config.c and disk_spec.c; the completion is
asked as bash would ask it.
"""

import os
import re
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
COMPLETION = "userland/completion/ringfence.bash"
DRIVERS = "userland/ringfence-drivers"

# What a person can say without a dash, and what each verb can be asked.
EVERYWHERE = {"help"}


def read(name):
    with open(os.path.join(TOP, name)) as f:
        return f.read()


def block(text, start):
    """From a line on to the end of the initializer or string there."""
    at = text.index(start)
    return text[at:text.index("\n}", at)]


def verbs_of(config):
    """Verb -> the long options it takes."""
    rows = re.findall(r'\{ "([\w-]+)", RF_VERB_\w+, \w+,\s*((?:"[^"]*"\s*)+)\}',
                      block(config, "struct verb verbs[]"))
    return {name: set("".join(re.findall(r'"([^"]*)"', words)).split())
            for name, words in rows}


def options_of(config):
    """Long option -> its letter, or nothing."""
    rows = re.findall(r'\{ "([\w-]+)", \w+, NULL, (?:\'(.)\'|\w+) \}',
                      block(config, "struct option options[]"))
    return dict(rows)


def disk_words():
    """What may follow the path of --disk: words, and names of values."""
    spec = read("userland/disk_spec.c")
    return set(re.findall(r'strcmp\(name, "(\w+)"\)', spec))


def manual(name="docs/ringfence.1"):
    """A manual page without its fonts."""
    text = read(name)
    text = re.sub(r"\\f[A-Z]|\\,|\\/|\\&", "", text)
    return text.replace("\\-", "-")


def section(text, title):
    found = re.search(rf"^\.SH {title}\n(.*?)(?=^\.SH |\Z)", text, re.M | re.S)
    return found[1] if found else ""


def manual_verbs(text):
    """Verbs that have a paragraph: what stands behind .TP."""
    heads = re.findall(r"^\.TP\n\.(?:B|BI|BR) \"? ?([a-z-]+)",
                       section(text, "VERBS"), re.M)
    return {head for head in heads if not head.startswith("-")}


def long_options(text):
    return set(re.findall(r"(?<![\w-])--([a-z][a-z-]*)", text))


def completed(words, program="ringfence", function="_ringfence"):
    """What bash offers for the last of the words."""
    script = (f"source userland/completion/{program}.bash; COMP_CWORD=$#; "
              f"COMP_WORDS=({program} \"$@\"); {function}; "
              "printf '%s\\n' \"${COMPREPLY[@]}\"")
    out = subprocess.run(["bash", "-c", script, "bash", *words], cwd=TOP, text=True,
                         check=True, capture_output=True).stdout
    return set(out.split())


def compare(where, want, have):
    """Lines of complaint."""
    return ([f"{where}: {word} is missing" for word in sorted(want - have)] +
            [f"{where}: there is no {word}" for word in sorted(have - want)])


def dashed(names):
    return {"--" + name for name in names}


def check_manual(verbs, options):
    text = manual()
    out = compare("docs/ringfence.1, VERBS", set(verbs), manual_verbs(text))
    out += compare("docs/ringfence.1", dashed(set(options) - EVERYWHERE),
                   dashed(long_options(text)))
    out += compare("docs/ringfence.1, OPTIONS OF RUN", dashed(verbs["run"] - {"run-dir"}),
                   dashed(re.findall(r"^[^-]*(?:-\w\W+)?--([a-z-]+)",
                                     heads(section(text, "OPTIONS OF RUN")), re.M)))
    return out


def heads(text):
    """The lines that follow .TP at the outer level."""
    inner = re.sub(r"^\.RS\n.*?^\.RE\n", "", text, flags=re.M | re.S)
    return "\n".join(re.findall(r"^\.TP\n(.*)", inner, re.M))


def check_disk_words():
    words = disk_words()
    about = section(manual(), "DISKS")
    have = set(re.findall(r"[a-z]+", " ".join(re.findall(r"^\.TP\n(.*)", about, re.M))))
    out = [f"docs/ringfence.1, DISKS: {w} is missing" for w in sorted(words - have)]
    usage = block(read("userland/config.c"), "void rf_config_print_help")
    out += [f"help, --disk: {w} is missing" for w in sorted(words)
            if not re.search(rf"[\[|,]{w}[\]|=]", usage)]
    return out


def check_help(verbs, options):
    text = block(read("userland/config.c"), "void rf_config_print_help")
    out = [f"help: verb {verb} is missing" for verb in sorted(verbs)
           if not re.search(rf"\b{verb}\b", text)]
    out += compare("help", dashed(set(options) - EVERYWHERE), dashed(long_options(text)))
    return out


def check_completion(verbs, options):
    out = compare(COMPLETION, set(verbs), completed([""]))
    for verb, takes in sorted(verbs.items()):
        out += compare(f"{COMPLETION}, {verb}", dashed(takes), completed([verb, "--"]))
    return out


def check_drivers():
    """The program that has options of its own, and no verbs."""
    script = read(DRIVERS)
    words = re.findall(r"-l ([a-z,:-]+)", script[script.index("getopt -n"):])
    options = dashed(word.rstrip(":") for word in ",".join(words).split(",") if word)
    text = script[script.index("help() {"):script.index("\nEND")]
    page = section(manual("docs/ringfence-drivers.1"), "OPTIONS")
    out = compare(DRIVERS + ", help", options - {"--help"},
                  dashed(re.findall(r"^ +(?:-\w, |    )--([a-z-]+)", text, re.M)))
    out += compare("docs/ringfence-drivers.1", options, dashed(
        re.findall(r"^[^-]*(?:-\w\W+)?--([a-z-]+)", heads(page), re.M)))
    return out + compare("userland/completion/ringfence-drivers.bash", options, completed(
        ["--"], "ringfence-drivers", "_ringfence_drivers"))


def main():
    config = read("userland/config.c")
    verbs, options = verbs_of(config), options_of(config)
    if len(verbs) < 10 or len(options) < 10 or len(disk_words()) < 8:
        print("usage: cannot read userland/config.c or disk_spec.c any more")
        return 1
    out = [f"userland/config.c: {verb} takes --{name}, which is no option"
           for verb, takes in verbs.items() for name in sorted(takes - set(options))]
    out += check_manual(verbs, options) + check_disk_words()
    out += check_help(verbs, options) + check_completion(verbs, options) + check_drivers()
    for line in out:
        print(line)
    return 1 if out else 0


if __name__ == "__main__":
    sys.exit(main())
