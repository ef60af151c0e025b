------------------------------ MODULE Transfer ------------------------------
(***************************************************************************)
(* The world around one meter id: a host with its database, backups and    *)
(* workers, the bodies that ever had the id, people, and a relay between   *)
(* them that loses, keeps, repeats and reorders what it likes.             *)
(*                                                                         *)
(* A session is three steps: a worker fixes the work and makes it durable  *)
(* (Press), a body opens a session with it (Open: Hello, Proof, and the    *)
(* Command on its way), the body carries the Command out (Execute). Between *)
(* any two of them anything may happen. A body has one session and a       *)
(* Command fits no other, so a newer Open or a power cut makes an older    *)
(* Command dead; nothing else does: not the host's crash, not its restore. *)
(* What a body said may arrive at any later time; since its ring only      *)
(* grows, a Report of any age is the ring up to any entry.                 *)
(***************************************************************************)
EXTENDS Book

CONSTANTS
    Workers,    \* workers at the host that do not know of each other
    Restores,   \* how often the database is put back from a backup
    Swaps,      \* how often the body is replaced under its id
    EpochMax,   \* epochs that people ask for
    Cancels,    \* whether customers cancel
    Refusals,   \* whether a body may answer status 2 (ceiling, owed)
    Stubborn,   \* an order that is always refused; 0: none
    Losses,     \* whether the body may be destroyed, and its id given up
    Haunts,     \* whether the relay also plays the host's words to bodies that were replaced
    Asks,       \* whether the host also polls (03, 04) at any time
    Reports,    \* whether Reports arrive
    Faults      \* how many faults there are before the line is honest; 99: they never stop

VARIABLES
    db,         \* the database: book and rows
    late,       \* rows of a commit that is still to come (only where that hole is planted)
    host,       \* how often the database was restored
    backup,     \* the last backup
    noted,      \* the highest epoch ever asked for, kept in the state folder
    live,       \* what each worker does
    ring,       \* each body's holders, all that ever were: [s, t, a, who]; `who` is for the invariants alone
    session,    \* each body's session
    here,       \* the body on the wall; those below it were replaced
    dead,       \* whether the body on the wall was destroyed
    paid,       \* the payments' own records; no restore reaches them
    papers,     \* the value codes ever handed out
    faults,     \* how many faults are left
    plugged,    \* whether bodies that were replaced can still be reached
    did         \* who made the last step, where fairness is asked about

vars == <<plugged, db, late, host, backup, noted, live, ring, session, here, dead, paid, papers, faults>>

Endless == 99
None == [kind |-> "none"]
Idle == [step |-> "idle"]
Bodies == 1..(Swaps + 1)
Last(q) == q[Len(q)]

Init ==
    /\ db = NewDb /\ late = <<>> /\ host = 0 /\ backup = None /\ noted = Nil
    /\ live = [w \in 1..Workers |-> Idle]
    /\ ring = [b \in Bodies |-> <<>>] /\ session = [b \in Bodies |-> None]
    /\ here = 1 /\ dead = FALSE
    /\ paid = [o \in Ids |-> "no"] /\ papers = {} /\ faults = Faults /\ plugged = TRUE

Fault == IF Faults = Endless THEN UNCHANGED faults ELSE faults > 0 /\ faults' = faults - 1

-----------------------------------------------------------------------------
(* The line.                                                                *)

Calls(w, does) ==
    /\ live[w] = Idle /\ does.work.kind # "none"
    /\ live' = [live EXCEPT ![w] = [step |-> "called", work |-> does.work]]
    /\ db' = IF Hole = "bytes before the commit" THEN db ELSE [db EXCEPT !.book = does.book]

Press(w) ==
    /\ Calls(w, NextWork(db.book, host))
    /\ UNCHANGED <<plugged, late, host, backup, noted, ring, session, here, dead, paid, papers, faults>>

Ask(w) ==
    /\ Asks /\ Fault /\ Calls(w, RingWork(db.book))
    /\ UNCHANGED <<plugged, late, host, backup, noted, ring, session, here, dead, paid, papers>>

Opens(w, b) ==
    /\ live[w].step = "called" /\ ~(b = here /\ dead)
    /\ live' = [live EXCEPT ![w].step = "sent"]
    /\ session' = [session EXCEPT ![b] = [kind |-> "open", work |-> live[w].work, by |-> w]]
    /\ UNCHANGED <<plugged, db, late, host, backup, noted, ring, here, dead, paid, papers>>
Open_(w) == Opens(w, here) /\ UNCHANGED faults
Haunt(w) == Haunts /\ plugged /\ Fault /\ \E b \in 1..(here - 1) : Opens(w, b)

PowerCut(b) ==
    /\ session[b] # None /\ Fault
    /\ session' = [session EXCEPT ![b] = None]
    /\ UNCHANGED <<plugged, db, late, host, backup, noted, live, ring, here, dead, paid, papers>>

\* The session is over; its worker, if it still waits, gets an answer: how far the ring went, and the status.
Answers(b, status, entries, lie) ==
    /\ ring' = [ring EXCEPT ![b] = entries]
    /\ session' = [session EXCEPT ![b] = None]
    /\ LET w == session[b].by
       IN live' = IF w = 0 THEN live
                  ELSE [live EXCEPT ![w] = [step |-> "answered", work |-> live[w].work, b |-> b,
                                            n |-> Len(entries), status |-> status, lie |-> lie]]

Next_(b) == NextSequence(Last(ring[b]).s)
Value(b, work) ==
    LET e == [s |-> work.s, t |-> work.t, a |-> work.a, who |-> work.o]
        turn == ring[b] # <<>> /\ work.s # Nil /\ Next_(b) = work.s
        pretend == Hole = "burn answered" /\ work.kind = "burn" /\ ring[b] # <<>> /\ ~turn
        lie == IF pretend THEN [e EXCEPT !.a = 0, !.who = 0] ELSE None
    IN IF ~turn THEN Answers(b, 1, ring[b], lie) /\ UNCHANGED faults
       ELSE \/ work.kind = "transfer" /\ work.o = Stubborn /\ Answers(b, 2, ring[b], None) /\ UNCHANGED faults
            \/ work.kind = "transfer" /\ Refusals /\ Fault /\ Answers(b, 2, ring[b], None)
            \/ /\ ~(work.kind = "transfer" /\ work.o = Stubborn)
               /\ Answers(b, 0, Append(ring[b], [e EXCEPT !.who = IF work.kind = "transfer" THEN @ ELSE 0]), None)
               /\ UNCHANGED faults

Enter(b, may, s, t) ==
    /\ IF may THEN Answers(b, 0, Append(ring[b], [s |-> s, t |-> t, a |-> 0, who |-> 0]), None)
       ELSE Answers(b, 2, ring[b], None)
    /\ UNCHANGED faults

Execute(b) ==
    /\ session[b] # None /\ ~(b = here /\ dead)
    /\ LET work == session[b].work
       IN CASE work.kind \in {"transfer", "burn", "fence"} -> Value(b, work)
            [] work.kind = "commission" ->
                   LET last == IF ring[b] = <<>> THEN Nil ELSE Last(ring[b]).s
                       meant == Hole = "any body" \/ work.a = last
                   IN Enter(b, meant /\ (last = Nil \/ EpochOf(work.s) > EpochOf(last)), work.s, work.t)
            [] work.kind = "retire" ->
                   Enter(b, ring[b] # <<>> /\ Next_(b) # Nil, EpochEnd(EpochOf(Last(ring[b]).s)), work.t)
            [] work.kind = "ring" -> Answers(b, 0, ring[b], None) /\ UNCHANGED faults
    /\ UNCHANGED <<plugged, db, late, host, backup, noted, here, dead, paid, papers>>

RECURSIVE Sum(_)
Sum(entries) == IF entries = <<>> THEN 0 ELSE Head(entries).a + Sum(Tail(entries))

\* What a body tells of its first n entries.
Ring(b, n) == SubSeq(ring[b], Max({1, n - RingMax + 1}), n)
Told(b, n, whole) ==
    [ring |-> IF n = 0 THEN <<>> ELSE IF whole THEN Ring(b, n) ELSE <<ring[b][n]>>,
     whole |-> whole /\ n > 0, balance |-> Sum(SubSeq(ring[b], 1, n))]
Said(l) ==
    LET told == Told(l.b, l.n, l.work.kind = "ring")
    IN [result |-> TRUE, work |-> l.work, status |-> l.status, whole |-> told.whole, balance |-> told.balance,
        ring |-> IF l.lie = None THEN told.ring ELSE <<l.lie>>]

Commits(after) ==
    IF Hole = "two commits" THEN db' = [after EXCEPT !.row = db.row] /\ late' = <<after.row>>
    ELSE db' = after /\ UNCHANGED late

Learns(w) ==
    /\ live[w].step = "answered" /\ late = <<>>
    /\ Commits(Learn(db, Said(live[w])))
    /\ live' = [live EXCEPT ![w] = Idle]
    /\ UNCHANGED <<plugged, host, backup, noted, ring, session, here, dead, paid, papers, faults>>

ReportArrives(b, n) ==
    /\ Reports /\ late = <<>> /\ n \in 1..Len(ring[b])
    /\ LET told == Told(b, n, TRUE)
       IN Commits(Learn(db, [result |-> FALSE, work |-> NoWork, status |-> 0, whole |-> told.whole,
                             balance |-> told.balance, ring |-> told.ring]))
    /\ UNCHANGED <<plugged, host, backup, noted, live, ring, session, here, dead, paid, papers, faults>>

SecondCommit ==
    /\ late # <<>> /\ db' = [db EXCEPT !.row = late[1]] /\ late' = <<>>
    /\ UNCHANGED <<plugged, host, backup, noted, live, ring, session, here, dead, paid, papers, faults>>

Orphaned(w) == [b \in Bodies |-> IF session[b] # None /\ session[b].by = w THEN [session[b] EXCEPT !.by = 0]
                                 ELSE session[b]]
Waits(w) == live[w].step = "answered" \/ (live[w].step = "called" /\ ~dead) \/ \E b \in Bodies : session[b] # None /\ session[b].by = w

\* A worker gives a session up: because nothing can come any more, or (a fault) though something might.
GiveUp(w) ==
    /\ live[w] # Idle /\ live' = [live EXCEPT ![w] = Idle] /\ session' = Orphaned(w)
    /\ IF Waits(w) THEN Fault ELSE Hole # "no give-up" /\ UNCHANGED faults
    /\ UNCHANGED <<plugged, db, late, host, backup, noted, ring, here, dead, paid, papers>>

\* The host dies between two commits. What only memory held is gone; for the rest this is GiveUp of all.
Crash ==
    /\ late # <<>> /\ late' = <<>>
    /\ UNCHANGED <<plugged, db, host, backup, noted, live, ring, session, here, dead, paid, papers, faults>>

-----------------------------------------------------------------------------
(* Customers.                                                               *)

Pay(o) ==
    /\ paid[o] = "no" /\ db.book.body # "lost" /\ \A p \in 1..(o - 1) : paid[p] # "no"
    /\ paid' = [paid EXCEPT ![o] = "paid"] /\ db' = MakeOrder(db, o, host)
    /\ UNCHANGED <<plugged, late, host, backup, noted, live, ring, session, here, dead, papers, faults>>

Cancel(o) ==
    /\ o \in Open(db.book) /\ OrderOf(db.book, o).state \notin {"lost", "cancelling"}
    /\ Cancels \/ OrderOf(db.book, o).state = "refused" \/ db.book.body = "lost"
    /\ db' = AskCancel(db, o)
    /\ UNCHANGED <<plugged, late, host, backup, noted, live, ring, session, here, dead, paid, papers, faults>>

Refund(o) ==
    /\ db.row[o] = "cancelled"
    /\ paid' = [paid EXCEPT ![o] = "refunded"] /\ db' = Row(db, o, "refunded")
    /\ UNCHANGED <<plugged, late, host, backup, noted, live, ring, session, here, dead, papers, faults>>

Issue(o) ==
    /\ MayIssue(db.book, o)
    /\ LET bk == IssueCode(db.book, o)
       IN db' = [db EXCEPT !.book = bk] /\ papers' = papers \cup {[o |-> o, s |-> OrderOf(bk, o).s]}
    /\ UNCHANGED <<plugged, late, host, backup, noted, live, ring, session, here, dead, paid, faults>>

Type(b, c) ==
    /\ ring[b] # <<>> /\ Next_(b) = c.s /\ ~(b = here /\ dead)
    /\ ring' = [ring EXCEPT ![b] = Append(@, [s |-> c.s, t |-> <<"k", c.s, Amount(c.o)>>, a |-> Amount(c.o), who |-> c.o])]
    /\ UNCHANGED <<plugged, db, late, host, backup, noted, live, session, here, dead, paid, papers, faults>>

-----------------------------------------------------------------------------
(* Backup and restore.                                                      *)

BackUp ==
    /\ host < Restores /\ late = <<>> /\ backup' = db
    /\ UNCHANGED <<plugged, db, late, host, noted, live, ring, session, here, dead, paid, papers, faults>>

Restore ==
    /\ host < Restores /\ backup # None
    /\ host' = host + 1 /\ late' = <<>> /\ backup' = IF host' = Restores THEN None ELSE backup
    /\ live' = [w \in 1..Workers |-> Idle]
    /\ session' = [b \in Bodies |-> IF session[b] = None THEN None ELSE [session[b] EXCEPT !.by = 0]]
    /\ noted' = IF Hole = "epoch in the database" THEN Nil ELSE noted
    /\ db' = Restored(backup, noted')
    /\ UNCHANGED <<plugged, ring, here, dead, paid, papers, faults>>

\* The payments' own records make an order again that the database does not know.
Remake(o) ==
    /\ paid[o] = "paid" /\ db.row[o] = "none"
    /\ db.book.synced /\ ~db.book.reconciling /\ db.book.body # "lost"
    /\ db' = MakeOrder(db, o, host)
    /\ UNCHANGED <<plugged, late, host, backup, noted, live, ring, session, here, dead, paid, papers, faults>>

Refunded == {o \in Ids : paid[o] = "refunded"}
RECURSIVE Explain(_, _)
Explain(d, entries) ==
    IF entries = {} THEN d
    ELSE LET e == CHOOSE x \in entries : \A y \in entries : x.s <= y.s
             forgotten == {o \in Ids : Amount(o) = e.a /\ paid[o] = "paid" /\ d.row[o] = "none"}
             free == Matches(d.book, e.a, Refunded)
             done == IF forgotten # {} THEN Row([d EXCEPT !.book.suspense = @ \ {e}], Min(forgotten), "delivered")
                     ELSE IF free # {} THEN MatchSuspense(d, Min({x.o : x \in free}), e) ELSE d
         IN Explain(done, entries \ {e})
RECURSIVE CancelAll(_, _)
CancelAll(d, os) == IF os = {} THEN d ELSE LET o == Min(os) IN CancelAll(AskCancel(d, o), os \ {o})

Reconcile ==
    /\ db.book.synced /\ db.book.reconciling /\ db.book.body # "lost" /\ db.book.frozen = "no"
    /\ LET explained == Explain(db, db.book.suspense)
           paidBack == [explained EXCEPT !.row = [o \in Ids |-> IF @[o] = "none" /\ o \in Refunded THEN "refunded" ELSE @[o]]]
       IN db' = Reconciled(CancelAll(paidBack, {o \in Open(paidBack.book) \cap Refunded : OrderOf(paidBack.book, o).state # "lost"}))
    /\ UNCHANGED <<plugged, late, host, backup, noted, live, ring, session, here, dead, paid, papers, faults>>

-----------------------------------------------------------------------------
(* Bodies, and the people who bring them.                                   *)

Ended(b) == ring[b] # <<>> /\ Next_(b) = Nil

\* The epoch stands durably in the state folder before it is asked for.
Commission ==
    LET epoch == Max({db.book.epoch, noted, 0}) + 1
        keeps == ring[here] # <<>>
    IN /\ MayCommission(db.book, epoch) /\ epoch <= EpochMax
       /\ db.book.body = "new" \/ ring[here] = <<>> \/ Ended(here)
       /\ noted' = epoch /\ db' = [db EXCEPT !.book = AskCommission(@, epoch, keeps /\ @.body = "retired", host)]
       /\ UNCHANGED <<plugged, late, host, backup, live, ring, session, here, dead, paid, papers, faults>>

Retire ==
    /\ here <= Swaps /\ db.book.body = "live" /\ Hole # "no epoch"
    \* Where orders have to end, a body is not retired and kept again and again.
    /\ Faults = Endless \/ db.book.epoch <= here
    /\ db' = [db EXCEPT !.book = AskRetire(@, host)]
    /\ UNCHANGED <<plugged, late, host, backup, noted, live, ring, session, here, dead, paid, papers, faults>>

Swap ==
    LET bk == db.book
        entry == [s |-> Settled(bk), t |-> <<"-", 1, 0>>, a |-> 0, who |-> 0]
    IN /\ here <= Swaps /\ ~dead /\ bk.synced /\ here' = here + 1
       /\ IF Hole = "no epoch" THEN bk.body = "live" /\ ~Islands(bk) /\ bk.frozen = "no" /\ ring' = [ring EXCEPT ![here + 1] = <<entry>>]
          ELSE bk.body = "retired" /\ Ended(here) /\ UNCHANGED ring
       /\ UNCHANGED <<plugged, db, late, host, backup, noted, live, session, dead, paid, papers, faults>>

Destroy ==
    /\ Losses /\ ~dead /\ dead' = TRUE /\ Fault
    /\ session' = [session EXCEPT ![here] = None]
    /\ UNCHANGED <<plugged, db, late, host, backup, noted, live, ring, here, paid, papers>>

SayLost ==
    /\ dead /\ db.book.body # "lost" /\ db' = BodyLost(db)
    /\ UNCHANGED <<plugged, late, host, backup, noted, live, ring, session, here, dead, paid, papers, faults>>

SignOver(o) ==
    /\ o \in Open(db.book) /\ OrderOf(db.book, o).state = "lost" /\ db.book.body = "lost"
    /\ db' = Row([db EXCEPT !.book = Without(@, o)], o, "signed")
    /\ UNCHANGED <<plugged, late, host, backup, noted, live, ring, session, here, dead, paid, papers, faults>>

Entries == UNION {Range(ring[b]) : b \in 1..here}
RECURSIVE Rising(_)
Rising(S) == IF S = {} THEN <<>> ELSE LET e == CHOOSE x \in S : \A y \in S : x.s <= y.s IN <<e>> \o Rising(S \ {e})

\* A person comes, reads every body that ever had the id, and sees to it that only the one on the wall can answer.
ThawIt ==
    /\ db.book.frozen # "no" /\ db.book.body # "lost"
    /\ LET ends == {e.s : e \in {x \in Entries : CounterOf(x.s) = EpochLength - 1}}
           top == Max({KnownTop(db.book)} \cup ends)
       IN db' = Thaw(db, Rising({e \in Entries : e.s <= top}))
    /\ plugged' = FALSE /\ session' = [b \in Bodies |-> IF b = here THEN session[b] ELSE None]
    /\ UNCHANGED <<late, host, backup, noted, live, ring, here, dead, paid, papers, faults>>

-----------------------------------------------------------------------------

People ==
    \/ \E o \in Ids : Pay(o) \/ Cancel(o) \/ Refund(o) \/ Issue(o) \/ Remake(o) \/ SignOver(o)
    \/ \E b \in Bodies : \E c \in papers : Type(b, c)
    \/ Reconcile \/ Commission \/ Retire \/ Swap \/ Destroy \/ SayLost \/ ThawIt
Line ==
    \/ \E w \in 1..Workers : Press(w) \/ Ask(w) \/ Open_(w) \/ Haunt(w) \/ Learns(w) \/ GiveUp(w)
    \/ \E b \in Bodies : PowerCut(b) \/ Execute(b) \/ \E n \in 1..Len(ring[b]) : ReportArrives(b, n)
    \/ SecondCommit \/ Crash
Next == People \/ Line \/ BackUp \/ Restore

Spec == Init /\ did = "" /\ [][Next /\ UNCHANGED did]_vars

(* Once faults have stopped, the line and the people each do what they can. *)
(* A customer need not cancel, type a code or pay, and a body need not be   *)
(* retired; but the order that is always refused is cancelled some day, and *)
(* so is one that waits at a lost body.                                     *)
(* `did` says who made the step and Can... when there is one to make: weak  *)
(* fairness written out, because TLC is slow at finding that out itself.    *)
LineActs ==
    \/ \E w \in 1..Workers : Press(w) \/ Open_(w) \/ Learns(w) \/ (~Waits(w) /\ GiveUp(w))
    \/ \E b \in Bodies : Execute(b)
PeopleAct ==
    \/ \E o \in Ids : Refund(o) \/ Remake(o) \/ SignOver(o) \/ ((o = Stubborn \/ db.book.body = "lost") /\ Cancel(o))
    \/ Reconcile \/ Commission \/ ThawIt \/ SayLost \/ Swap
OthersAct ==
    \/ \E o \in Ids : Pay(o) \/ Cancel(o) \/ Issue(o)
    \/ \E b \in Bodies : \E c \in papers : Type(b, c)
    \/ Retire \/ Destroy \/ BackUp \/ Restore
    \/ \E w \in 1..Workers : Ask(w) \/ Haunt(w) \/ (Waits(w) /\ GiveUp(w))
    \/ \E b \in Bodies : PowerCut(b)
CanLine ==
    \/ \E w \in 1..Workers :
           \/ live[w] = Idle /\ NextWork(db.book, host).work.kind # "none"
           \/ live[w].step = "called" /\ ~dead
           \/ live[w].step = "answered"
           \/ live[w] # Idle /\ ~Waits(w) /\ Hole # "no give-up"
    \/ \E b \in Bodies : session[b] # None /\ ~(b = here /\ dead)
CanPeople ==
    \/ \E o \in Ids :
           \/ db.row[o] = "cancelled"
           \/ paid[o] = "paid" /\ db.row[o] = "none" /\ db.book.synced /\ ~db.book.reconciling /\ db.book.body # "lost"
           \/ db.row[o] = "lost" /\ db.book.body = "lost"
           \/ /\ o \in Open(db.book) /\ OrderOf(db.book, o).state \notin {"lost", "cancelling"}
              /\ o = Stubborn \/ db.book.body = "lost"
    \/ db.book.synced /\ db.book.reconciling /\ db.book.body # "lost" /\ db.book.frozen = "no"
    \/ LET epoch == Max({db.book.epoch, noted, 0}) + 1
       IN MayCommission(db.book, epoch) /\ epoch <= EpochMax /\ (db.book.body = "new" \/ ring[here] = <<>> \/ Ended(here))
    \/ db.book.body # "lost" /\ (db.book.frozen # "no" \/ dead)
FairNext ==
    \/ LineActs /\ did' = "line"
    \/ PeopleAct /\ did' = "people"
    \/ OthersAct /\ did' = "others"
withDid == <<vars, did>>
FairSpec ==
    /\ Init /\ did = "others" /\ [][FairNext]_withDid
    /\ []<>~CanLine \/ []<><<did' = "line">>_withDid
    /\ []<>~CanPeople \/ []<><<did' = "people">>_withDid
\* Of several workers each takes the session from the other; a body that always has one answers one some day.
Answered == \E b \in Bodies : Execute(b) /\ did' = "line"
FairWorkersSpec == FairSpec /\ WF_withDid(Answered)

-----------------------------------------------------------------------------
(* What must hold.                                                          *)

Holding(o) == {<<b, i>> \in Bodies \X (1..20) : i <= Len(ring[b]) /\ ring[b][i].who = o}
Held(o) == \E b \in Bodies : \E i \in DOMAIN ring[b] : ring[b][i].who = o
Rows(states) == {o \in Ids : db.row[o] \in states}
RECURSIVE Total(_)
Total(os) == IF os = {} THEN 0 ELSE LET o == CHOOSE x \in os : TRUE IN Amount(o) + Total(os \ {o})
RECURSIVE SumOf(_)
SumOf(S) == IF S = {} THEN 0 ELSE LET e == CHOOSE x \in S : TRUE IN e.a + SumOf(S \ {e})
InBodies == LET all[b \in 0..(Swaps + 1)] == IF b = 0 THEN 0 ELSE all[b - 1] + Sum(ring[b]) IN all[Swaps + 1]

\* Each order is applied at most once, in whatever body.
AtMostOnce == \A o \in Ids : Cardinality(Holding(o)) <= 1
\* What the host calls delivered is held; what it calls cancelled is not, and never will be.
ConfirmedIsHeld == \A o \in Rows({"delivered"}) : Held(o)
CancelledIsNotHeld == \A o \in Rows({"cancelled", "refunded"}) \cup Refunded : ~Held(o)
\* Nobody gets more than was paid for, in value and cash together; the law for equal amounts.
NeverMore == InBodies + Total(Refunded) <= Total({o \in Ids : paid[o] # "no"})
\* What is booked as delivered or in suspense is what the bodies were seen to hold.
BooksEqualMeters ==
    LET seen == {<<b, i>> \in Bodies \X (1..20) : i <= Len(ring[b]) /\ ring[b][i].s \in db.book.got}
        RECURSIVE Over(_)
        Over(S) == IF S = {} THEN 0 ELSE LET x == CHOOSE y \in S : TRUE IN ring[x[1]][x[2]].a + Over(S \ {x})
    IN Total(Rows({"delivered"})) + SumOf(db.book.suspense) = Over(seen)
\* The rows tell what the book tells.
RowsEqualBook ==
    \A o \in Ids :
        /\ db.row[o] = "open" <=> (o \in Open(db.book) /\ OrderOf(db.book, o).state # "lost")
        /\ db.row[o] = "lost" <=> (o \in Open(db.book) /\ OrderOf(db.book, o).state = "lost")
\* One number belongs to one order, and one body holds it.
NumbersDiffer ==
    /\ \A i, j \in DOMAIN db.book.orders :
           i # j /\ db.book.orders[i].s # Nil => db.book.orders[i].s # db.book.orders[j].s
    /\ \A b, c \in Bodies : b # c => {e.s : e \in Range(ring[b])} \cap {e.s : e \in Range(ring[c])} = {}
\* Nobody lied, so no meter is frozen for a lie.
FrozenHonestly ==
    db.book.frozen \in {"no"} \cup (IF Restores + Swaps > 0 THEN {"gap", "no epoch", "old body"} ELSE {})
                              \cup (IF Haunts THEN {"went back"} ELSE {})

Over_(o) == db.row[o] \in {"delivered", "refunded", "signed"} /\ o \notin Open(db.book)
\* Once faults stop, every order ends.
EveryOrderEnds == \A o \in Ids : [](paid[o] # "no" => <>Over_(o))
=============================================================================
