------------------------------- MODULE Control ------------------------------
(***************************************************************************)
(* R10: control commands are numbered by a counter that a body applies     *)
(* upwards only, and that is bound to the command by a digest. The relay   *)
(* delivers any command ever sent, at any time and as often as it likes,   *)
(* which is more than a session allows; the host may be put back from a    *)
(* backup.                                                                 *)
(***************************************************************************)
EXTENDS Integers, FiniteSets

CONSTANTS
    Wishes,     \* how many different commands people ask for
    CounterMax, \* how far the counter is followed
    Restores,   \* how often the database is put back
    BodyBinds,  \* whether the body compares the digest under an equal counter
    HostTakes,  \* whether a host that is out of step takes the counter from a receipt
    Kills       \* whether the session that puts a host in step makes older commands dead, as it does

VARIABLES
    db,      \* [last, pending, wish, done, synced]: counter known, numbered commands, newest wish, whether it is done
    backup, restores,
    live,    \* commands whose sessions the host still listens to
    sent,    \* every command ever sent: [c, d]
    body,    \* [last, digest]
    effects  \* the digests the body carried out

vars == <<db, backup, restores, live, sent, body, effects>>
None == [c |-> 0, d |-> 0]
Max(a, b) == IF a > b THEN a ELSE b

Init ==
    /\ db = [last |-> 0, newest |-> None, wish |-> 0, done |-> TRUE, synced |-> TRUE]
    /\ backup = db /\ restores = 0 /\ live = {} /\ sent = {}
    /\ body = None /\ effects = {}

Wish(d) ==
    /\ d # db.wish /\ db' = [db EXCEPT !.wish = d, !.done = FALSE]
    /\ UNCHANGED <<backup, restores, live, sent, body, effects>>

\* The same command keeps its counter while nothing newer was numbered and the body is not past it.
Number ==
    IF db.newest.d # db.wish \/ db.newest.c < db.last
    THEN [c |-> Max(db.last, db.newest.c) + 1, d |-> db.wish] ELSE db.newest

Send ==
    /\ ~db.done /\ db.synced /\ Number.c <= CounterMax
    /\ db' = [db EXCEPT !.newest = Number]
    /\ sent' = sent \cup {Number} /\ live' = live \cup {Number}
    /\ UNCHANGED <<backup, restores, body, effects>>

Verdict(m) ==
    IF m.c > body.c THEN 0
    ELSE IF m.c = body.c /\ (m.d = body.d \/ ~BodyBinds) THEN 0 ELSE 3

\* A command arrives; if its session lives, the answer does as well (or is lost: the command alone may arrive again).
Arrive(m) ==
    /\ m \in sent
    /\ body' = IF m.c > body.c THEN m ELSE body
    /\ effects' = IF m.c > body.c THEN effects \cup {m.d} ELSE effects
    /\ \/ /\ m \in live /\ live' = live \ {m}
          /\ db' = [db EXCEPT !.last = Max(@, IF HostTakes \/ Verdict(m) = 3 THEN body'.c ELSE 0),
                              !.done = @ \/ (Verdict(m) = 0 /\ m.d = db.wish /\ m = db.newest)]
       \/ UNCHANGED <<db, live>>
    /\ UNCHANGED <<backup, restores, sent>>

BackUp == restores < Restores /\ backup' = db /\ UNCHANGED <<db, restores, live, sent, body, effects>>
Restore ==
    /\ restores < Restores /\ restores' = restores + 1
    /\ db' = [backup EXCEPT !.synced = FALSE, !.newest = None] /\ live' = {}
    /\ UNCHANGED <<backup, sent, body, effects>>
\* A session begun after the restore ends with a receipt.
Sync ==
    /\ ~db.synced
    /\ db' = [db EXCEPT !.synced = TRUE, !.last = IF HostTakes THEN Max(@, body.c) ELSE @]
    /\ sent' = IF Kills THEN {} ELSE sent
    /\ UNCHANGED <<backup, restores, live, body, effects>>

Next == Send \/ BackUp \/ Restore \/ Sync \/ (\E d \in 1..Wishes : Wish(d)) \/ (\E m \in sent : Arrive(m))
Spec == Init /\ [][Next]_vars

\* What the host calls done was done.
BelievedIsDone == db.done /\ db.wish # 0 => db.wish \in effects
=============================================================================
