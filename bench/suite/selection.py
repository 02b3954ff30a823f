"""Which rows a command line means."""
import re

import cases


def select(chosen):
    rows = cases.all_cases()
    if chosen.quick:
        rows = [case for case in rows if case.core]
    if chosen.only:
        rows = [case for case in rows if re.search(chosen.only, case.name)]
    if chosen.peers:
        for case in rows:
            case.peers = [peer for peer in case.peers if re.search(chosen.peers, " ".join(peer).strip())]
    return rows


def print_names(chosen):
    for case in select(chosen):
        print(case.name)
    return 0
