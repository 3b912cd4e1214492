"""What each letter and sign does, on every screen and in every dialog; the manual shows this table."""

from __future__ import annotations

from typing import NamedTuple


class Letter(NamedTuple):
    """A key as shown on screen, what the key does, and the ids of all actions that have the key by default."""

    key: str
    does: str
    actions: frozenset[str]


_TABLE = """
a      | accept the change; use the staged text in a conflict | suggestion.accept put.staged
A      | accept all undecided changes | suggestion.accept-all
b      | break down: runs into groups, or by the next grouping; a change into its parts | runs.groups groups.next
       suggestion.split
B      | brush aside: dismiss the warning of a change, or show it again | suggestion.dismiss
c      | change the text | suggestion.edit put.word
C      | columns | runs.columns
d      | details | run.details job.details suggestion.details test.details
D      | delete from this machine | job.forget prompts.forget views.forget
e      | evidence: the next turn that the verdict cites | run.evidence
E      | the previous such turn | run.evidence-before
f      | fold or unfold what is under the cursor | diff.fold
F      | load all | runs.read-on groups.read-on search-runs.read-on
g      | first | list.first help.first
G      | last | list.last help.last
h      | prompt history | suggestion.history put.history
H      | hang up: end the calls of a test | test.end-calls
i      | improve; improve again | runs.improve run.improve suggestion.try-again job.again test.improve
I      | from a test to its suggestion, and back | test.suggestion suggestion.tests
j      | down | list.down help.down palette.down
J      | jobs pane | runs.jobs-pane
k      | up | list.up help.up palette.up
K      | what you keep: show or hide the staged prompt | suggestion.staged
l      | slowest answer | run.slowest
L      | live: follow or pause a list, a run or the polling of a job | runs.live run.live job.stop job.resume
m      | note | runs.note run.note
M      | manual | help.manual
n      | next match, change, difference or conflict | run.next-match compare.next diff.next suggestion.next
       conflict.next
N      | the previous one | run.previous-match compare.previous diff.previous suggestion.previous
       conflict.previous
o      | next outcome | runs.outcome
O      | previous outcome | runs.previous-outcome
p      | project and agent | runs.scope
P      | profile | app.profile
q      | leave | app.quit help.close
r      | reload, retry | runs.retry runs.refresh run.refresh compare.refresh job.refresh suggestion.refresh
       prompts.refresh prompt-diff.refresh put.look groups.refresh test.refresh
R      | restore a prompt, or the default columns | prompts.restore put.restore columns.reset
s      | sort | runs.sort
S      | reverse the order | runs.turn
t      | speakers | run.roles
T      | test the prompt; test again | runs.test run.test groups.test suggestion.test put.test job.test
       test.again
u      | undo | suggestion.undo views.undo
U      | next finished job | app.next-unread
v      | views | runs.views
V      | mark up to here | run-list.mark-range
w      | write to a file, or save under a name | runs.export views.save export.write-now
W      | write the prompt to the agent, after a look at the change | suggestion.put-on-agent
x      | reject the change; keep the agent's text in a conflict | suggestion.reject put.theirs
X      | raw JSON | transcript.raw details.raw
y      | copy or save | runs.hand-off run.hand-off job.copy suggestion.hand-off prompts.hand-off app.copy-selection
       test.copy
z      | fold or unfold all | diff.only-changes compare.fold transcript.unfold-all
1      | runs | app.runs
2      | jobs | app.jobs jobs.top
/      | find | runs.filter runs.filter-at-once run.find search-runs.type test.find
!      | failures | runs.failures
=      | compare | runs.compare runs.compare-marked run.compare test.other
+      | add | profiles.add test.also-passed
[      | previous run, or pair of runs; while a recording plays, 5 seconds back | run.previous compare.previous-pair
       run.play-back
]      | next run, or pair of runs; while a recording plays, 5 seconds on | run.next compare.next-pair run.play-on
<      | narrower | columns.narrower
>      | wider | columns.wider
?      | keys | app.keys dialog.help help.close
:      | find a command | app.command-line
.      | play or pause the recording | run.play
,      | by sound, or by transcript | run.by-sound
;      | stop the recording | run.stop
space  | mark or choose | run-list.mark choice.choose columns.toggle prompt-uses.mark
ctrl+c | copy; without a selection, say how to quit | app.copy-text app.how-to-quit
ctrl+d | half a page down | list.half-down help.half-down
ctrl+e | open the text in $EDITOR | improve.editor edit-hunk.editor
ctrl+f | search all transcripts | app.search-runs
ctrl+g | do what the dialog is for | improve.launch note.save edit-hunk.take put.write confirm.yes search-runs.apply
       launch-test.launch
ctrl+l | redraw | app.redraw
ctrl+n | next command | palette.down
ctrl+p | find a command, in a text box, too | app.palette
ctrl+r | retry, in a text box | improve.retry
ctrl+t | show the text that a command reads | improve.text
ctrl+u | half a page up | list.half-up help.half-up
ctrl+z | suspend | app.suspend
"""


def letters() -> list[Letter]:
    rows = _TABLE.strip().replace("\n  ", " ").splitlines()
    return [
        Letter(key.strip(), does.strip(), frozenset(ids.split())) for key, does, ids in (r.split("|") for r in rows)
    ]
