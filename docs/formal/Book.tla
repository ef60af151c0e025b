-------------------------------- MODULE Book --------------------------------
(***************************************************************************)
(* The host's book of one meter: the rules R2 to R8 of docs/protocol.md as *)
(* operators from a database (book and rows of the orders) to a database,  *)
(* one for each function of prewatt.protocol.transfer_*. The README lists  *)
(* which is which.                                                         *)
(*                                                                         *)
(* A tag is a triple: <<"o", order, host>> an order, <<"b", order, host>>  *)
(* its burn, <<"k", sequence, amount>> a value code (its bits follow from  *)
(* these two), <<"f", ...>> a fence, <<"c", ...>> and <<"r", ...>> the     *)
(* commissioning and the retiring of a body. `host` counts the restores:   *)
(* what a host draws after one differs from all it drew before.            *)
(***************************************************************************)
EXTENDS Integers, Sequences, FiniteSets

CONSTANTS
    Orders,         \* how many payments there are
    EqualAmounts,   \* whether all are for the same amount (else each for its own)
    EpochLength,    \* sequences of an epoch; the first is its commissioning, the last its end
    RingMax,        \* entries a body's ring keeps
    Width,          \* sequences that fences cover above a meter's last
    CodesMax,       \* value codes open at once; 0: none are issued
    Hole            \* what is planted; "none" is the product

Nil == -1
NoTag == <<"-", 0, 0>>
Ids == 1..Orders
Amount(o) == IF EqualAmounts THEN 1 ELSE 2 ^ (o - 1)

EpochOf(s) == s \div EpochLength
CounterOf(s) == s % EpochLength
EpochStart(e) == e * EpochLength
EpochEnd(e) == e * EpochLength + EpochLength - 1
SafeEpochFirst == 1

Max(S) == CHOOSE x \in S : \A y \in S : y <= x
Min(S) == CHOOSE x \in S : \A y \in S : y >= x
Range(q) == {q[i] : i \in DOMAIN q}

NewBook ==
    [body |-> "new", epoch |-> Nil, got |-> {}, orders |-> <<>>, fences |-> {}, suspense |-> {},
     bodyTag |-> NoTag, keeps |-> FALSE, frozen |-> "no", synced |-> TRUE, reconciling |-> FALSE,
     episode |-> 0, fenceFrom |-> Nil, fenceUntil |-> Nil, fenced |-> Nil]

NewDb == [book |-> NewBook, row |-> [o \in Ids |-> "none"]]

-----------------------------------------------------------------------------
(* What the book knows. `got` is the set of booked sequences: `settled` and *)
(* `known` of the code are its lowest stretch and the islands above.        *)

KnownTop(bk) == IF bk.got = {} THEN Nil ELSE Max(bk.got)
Settled(bk) ==
    IF 0 \notin bk.got THEN Nil
    ELSE Max({n \in bk.got : \A m \in 0..n : m \in bk.got})
Islands(bk) == KnownTop(bk) # Settled(bk)
Open(bk) == {x.o : x \in Range(bk.orders)}
OrderOf(bk, o) == CHOOSE x \in Range(bk.orders) : x.o = o
Claims(bk) == {x.s : x \in {y \in Range(bk.orders) : y.s # Nil}}
EndsInBooks(bk) == bk.synced /\ ~bk.reconciling /\ bk.frozen = "no"

IssuedTop(bk) ==
    LET top == Max({KnownTop(bk), Nil} \cup Claims(bk) \cup {f.s : f \in bk.fences})
    IN CASE bk.body = "commissioning" -> Max({top, EpochStart(bk.epoch)})
         [] bk.body = "retiring" -> Max({top, EpochEnd(EpochOf(Max({KnownTop(bk), 0})))})
         [] OTHER -> top
\* Nil where the epoch has no sequence left.
NextSequence(s) == IF s = Nil THEN 0 ELSE IF CounterOf(s) = EpochLength - 1 THEN Nil ELSE s + 1

Replaced(bk, x) == [bk EXCEPT !.orders = [i \in DOMAIN @ |-> IF @[i].o = x.o THEN x ELSE @[i]]]
Without(bk, o) == [bk EXCEPT !.orders = SelectSeq(@, LAMBDA x : x.o # o)]
Row(db, o, where) == [db EXCEPT !.row[o] = where]

Freeze(db, reason) == IF db.book.frozen # "no" THEN db ELSE [db EXCEPT !.book.frozen = reason]

-----------------------------------------------------------------------------
(* Out of step (R7).                                                        *)

BeginFences(bk) ==
    [bk EXCEPT !.synced = FALSE, !.reconciling = TRUE, !.episode = @ + 1,
               !.fenceFrom = Nil, !.fenceUntil = Nil, !.fenced = Nil]

Unsync(db) ==
    IF ~db.book.synced \/ db.book.body = "lost" THEN db ELSE [db EXCEPT !.book = BeginFences(@)]

Restored(db, highest) ==
    LET bk == db.book
        over == bk.body = "commissioning" /\ highest > bk.epoch
        body == IF ~over THEN bk.body ELSE IF Settled(bk) = Nil THEN "new" ELSE "retired"
        frozen == IF bk.frozen \in {"gap", "no epoch", "old body"} THEN "no" ELSE bk.frozen
    IN IF bk.body = "lost" THEN db
       ELSE IF Hole \in {"no fence", "no tag"} THEN [db EXCEPT !.book.frozen = "no"]
       ELSE [db EXCEPT !.book = BeginFences([bk EXCEPT !.body = body, !.frozen = frozen,
                                                       !.epoch = Max({bk.epoch, highest})])]

BodyAt(bk, last) ==
    IF CounterOf(last) = EpochLength - 1
    THEN IF bk.body = "commissioning" /\ EpochOf(last) < bk.epoch THEN "commissioning" ELSE "retired"
    ELSE IF bk.body = "retiring" THEN "retiring" ELSE "live"

InStep(bk, body) ==
    [bk EXCEPT !.synced = TRUE, !.body = body, !.fences = {}, !.fenceFrom = Nil, !.fenceUntil = Nil,
               !.fenced = Nil, !.reconciling = IF Hole = "no reconciling" THEN FALSE ELSE @]

\* `last` is Nil for a body without epoch; `episode` is that of the session.
SyncFrom(db, last, episode) ==
    LET bk == db.book
        end == EpochEnd(EpochOf(last))
        until == IF bk.fenceUntil # Nil THEN bk.fenceUntil
                 ELSE Min({end, Max({last + Width} \cup Claims(bk))})
        started == [bk EXCEPT !.fenceFrom = Max({last, @, 0}), !.fenceUntil = until]
    IN IF bk.synced \/ bk.frozen # "no" \/ episode # bk.episode THEN db
       ELSE IF last = Nil THEN [db EXCEPT !.book = InStep(bk, bk.body)]
       ELSE IF Islands(bk) \/ (last # end /\ bk.fenced < until) THEN [db EXCEPT !.book = started]
       ELSE [db EXCEPT !.book =
                 InStep([started EXCEPT !.epoch = Max({@, EpochOf(last)})], BodyAt(bk, last))]

-----------------------------------------------------------------------------
(* Learning (R4). An entry of a ring is [s, t, a].                          *)

Owner(bk, e) ==
    LET mine(x) == \/ x.code /\ x.s = e.s /\ e.t = <<"k", e.s, Amount(x.o)>>
                   \/ e.t \in {<<"o", x.o, x.g>>, <<"b", x.o, x.g>>}
                   \/ Hole = "no tag" /\ x.s = e.s /\ e.a = Amount(x.o)
        found == {i \in DOMAIN bk.orders : mine(bk.orders[i])}
    IN IF found = {} THEN 0 ELSE Min(found)

EndOrder(db, x, e) ==
    Row([db EXCEPT !.book = Without(@, x.o)], x.o, IF e.t[1] = "b" THEN "cancelled" ELSE "delivered")

Booked(db, s) == [db EXCEPT !.book.got = @ \cup {s}]

Settle(db, e) ==
    LET bk == db.book
        i == Owner(bk, e)
        x == bk.orders[i]
        beyond == IF x.s = e.s THEN db ELSE Unsync(db)
        unknown == Unsync(db)
        body == e.t = bk.bodyTag /\ bk.bodyTag # NoTag
    IN CASE e.s \in bk.got -> db
         [] e.s \notin bk.got /\ i # 0 -> Booked(EndOrder(beyond, x, e), e.s)
         [] e.s \notin bk.got /\ i = 0 /\ \E f \in bk.fences : f.t = e.t ->
                Booked([db EXCEPT !.book.fenced = Max({@, e.s})], e.s)
         [] e.s \notin bk.got /\ i = 0 /\ body /\ bk.body = "commissioning" ->
                [db EXCEPT !.book.body = "live", !.book.epoch = EpochOf(e.s), !.book.got = @ \cup (0..e.s)]
         [] e.s \notin bk.got /\ i = 0 /\ body /\ bk.body # "commissioning" -> Booked(db, e.s)
         [] OTHER -> Booked(IF e.a = 0 THEN unknown
                          ELSE [unknown EXCEPT !.book.suspense = @ \cup {[s |-> e.s, a |-> e.a]}], e.s)

RECURSIVE SettleAll(_, _)
SettleAll(db, entries) ==
    IF entries = <<>> THEN db ELSE SettleAll(Settle(db, Head(entries)), Tail(entries))

\* Between two neighbours of a ring nobody holds anything, for ever.
Jumped(ring) == {s \in 0..ring[Len(ring)].s : s > ring[1].s /\ \A i \in DOMAIN ring : ring[i].s # s}

Hold(db, fact) ==
    LET ring == fact.ring
        told == SettleAll(db, ring)
        known == IF fact.whole THEN [told EXCEPT !.book.got = @ \cup Jumped(ring)] ELSE told
        first == fact.whole /\ Len(ring) < RingMax /\ EpochOf(ring[1].s) = SafeEpochFirst
        all == IF first /\ Settled(known.book) = Nil
               THEN [known EXCEPT !.book.got = @ \cup (0..ring[1].s)] ELSE known
        islands == {s \in all.book.got : s > Settled(all.book)}
    IN IF ring = <<>> THEN db
       ELSE IF fact.result /\ fact.whole /\ islands # {} /\ Min(islands) <= ring[1].s
            THEN Freeze(all, "gap") ELSE all

\* Takes its number from every order whose number is booked for somebody else or for nobody.
VoidOne(db, x) ==
    LET bk == db.book
        void == x.s # Nil /\ x.s \in bk.got
        back == x.state = "sent" \/ (x.state = "lost" /\ bk.synced)
        waiting == [x EXCEPT !.state = IF back THEN "waiting" ELSE @, !.s = Nil, !.code = FALSE]
    IN IF (x.s = Nil \/ void) /\ x.state = "cancelling" /\ EndsInBooks(bk)
       THEN Row([db EXCEPT !.book = Without(@, x.o)], x.o, "cancelled")
       ELSE IF ~void THEN db
       ELSE Row([db EXCEPT !.book = Replaced(@, waiting)], x.o,
                IF waiting.state = "lost" THEN "lost" ELSE "open")

RECURSIVE VoidAll(_, _)
VoidAll(db, orders) == IF orders = <<>> THEN db ELSE VoidAll(VoidOne(db, Head(orders)), Tail(orders))

VoidClaims(db) ==
    LET done == [db EXCEPT !.book.fences = {f \in @ : f.s \notin db.book.got}]
    IN VoidAll(done, done.book.orders)

\* Status 2 settles nothing: the order is shown, and gives way to all others.
Refused(db, o, s) ==
    LET bk == db.book
        x == OrderOf(bk, o)
        y == IF x.state = "sent" THEN [x EXCEPT !.state = "refused"] ELSE x
    IN IF o \notin Open(bk) THEN db
       ELSE IF x.s # s \/ s \in bk.got THEN db
       ELSE IF Hole = "void on status 2" THEN Row([db EXCEPT !.book = Without(@, o)], o, "cancelled")
       ELSE [db EXCEPT !.book = [Without(@, o) EXCEPT !.orders = Append(@, y)]]

Answer(db, fact) ==
    IF fact.work.kind = "transfer" /\ fact.status = 2 THEN Refused(db, fact.work.o, fact.work.s) ELSE db

RetiredWhenFull(db) ==
    LET bk == db.book
        full == Settled(bk) >= 0 /\ CounterOf(Settled(bk)) = EpochLength - 1 /\ ~Islands(bk)
    IN IF full /\ bk.body \in {"live", "retiring"} THEN [db EXCEPT !.book.body = "retired"] ELSE db

BodySays(db, fact) ==
    LET e == fact.ring[Len(fact.ring)]
        wrong == /\ fact.ring # <<>> /\ e.t = db.book.bodyTag /\ CounterOf(e.s) = 0
                 /\ fact.balance # 0 /\ ~db.book.keeps /\ db.book.body = "live"
    IN RetiredWhenFull(IF wrong THEN Freeze(db, "holds value") ELSE db)

NewBodyExpected(bk) ==
    IF bk.synced \/ bk.body = "lost" THEN bk.body \in {"new", "retired", "commissioning", "lost"}
    ELSE \/ bk.body = "retired" /\ Settled(bk) >= 0 /\ EpochOf(Settled(bk)) = bk.epoch
         \/ bk.body = "new" /\ bk.epoch = Nil

\* What a Result of a session begun with this book's knowledge cannot say of an honest meter.
Distrust(bk, fact) ==
    LET last == fact.ring[Len(fact.ring)].s
        early == bk.synced /\ fact.work.floor < EpochStart(Max({bk.epoch, 0}))
    IN IF fact.ring = <<>> THEN IF early \/ NewBodyExpected(bk) THEN "no" ELSE "no epoch"
       ELSE IF last < fact.work.floor THEN "went back"
       ELSE IF ~bk.synced /\ EpochOf(last) < bk.epoch /\ ~(bk.body = "commissioning" /\ bk.keeps)
               /\ (Hole = "old body's word" => bk.body \in {"live", "retiring"}) THEN "old body"
       ELSE "no"

\* fact: [result, ring, whole, status, balance, work]; `ring` is the receipt's entry alone unless `whole`.
Learn(db, fact) ==
    LET fresh == fact.result /\ fact.work.episode = db.book.episode
        reason == IF fresh THEN Distrust(db.book, fact) ELSE "no"
        held == Hold(db, fact)
        last == IF fact.ring = <<>> THEN Nil ELSE fact.ring[Len(fact.ring)].s
        answered == IF fresh THEN SyncFrom(Answer(held, fact), last, fact.work.episode) ELSE held
    IN IF reason # "no" THEN Freeze(db, reason) ELSE BodySays(VoidClaims(answered), fact)

-----------------------------------------------------------------------------
(* What to send next (R5 to R8). Gives the book that must be durable first. *)

NoWork == [kind |-> "none"]
Work(bk, kind, s, t, a, o) ==
    [kind |-> kind, s |-> s, t |-> t, a |-> a, o |-> o, floor |-> KnownTop(bk), episode |-> bk.episode]
Does(bk, work) == [book |-> bk, work |-> work]
RingWork(bk) == Does(bk, Work(bk, "ring", Nil, NoTag, 0, 0))

FenceAt(bk, s, host) ==
    LET there == {f \in bk.fences : f.s = s}
        f == IF there # {} THEN CHOOSE x \in there : TRUE ELSE [s |-> s, t |-> <<"f", s, host>>]
        more == [bk EXCEPT !.fences = @ \cup {f}]
    IN Does(more, Work(more, "fence", s, f.t, 0, 0))

FenceWork(bk, host) ==
    LET done == bk.fenceUntil # Nil /\ bk.fenced >= bk.fenceUntil
        s == NextSequence(Max({bk.fenceFrom, bk.fenced}))
    IN IF bk.fenceFrom = Nil \/ done THEN RingWork(bk)
       ELSE IF s = Nil THEN RingWork(bk) ELSE FenceAt(bk, s, host)

Send(bk, x) ==
    IF x.state = "cancelling" THEN Does(bk, Work(bk, "burn", x.s, <<"b", x.o, x.g>>, 0, x.o))
    ELSE Does(bk, Work(bk, "transfer", x.s, <<"o", x.o, x.g>>, Amount(x.o), x.o))

OrderWork(bk, host) ==
    LET claims == {i \in DOMAIN bk.orders : bk.orders[i].s # Nil}
        lowest == CHOOSE i \in claims : \A j \in claims : bk.orders[i].s <= bk.orders[j].s
        waiting == {i \in DOMAIN bk.orders : bk.orders[i].state = "waiting"}
        refused == {i \in DOMAIN bk.orders : bk.orders[i].state = "refused"}
        number == NextSequence(IssuedTop(bk))
        x == bk.orders[Min(IF waiting # {} THEN waiting ELSE refused)]
        y == [x EXCEPT !.s = number, !.state = IF @ = "waiting" THEN "sent" ELSE "refused"]
        more == Replaced(bk, y)
        again == [bk.orders[lowest] EXCEPT !.s = @ + 1]
    IN IF claims # {}
       THEN IF bk.orders[lowest].state = "refused" /\ Len(bk.orders) > 1
            THEN FenceAt(bk, bk.orders[lowest].s, host)
            ELSE IF Hole = "new sequence" /\ again.state = "sent" /\ CounterOf(again.s) # 0
            THEN Send(Replaced(bk, again), again)
            ELSE Send(bk, bk.orders[lowest])
       ELSE IF waiting \cup refused = {} \/ number = Nil THEN Does(bk, NoWork)
       ELSE Send(more, y)

NextWork(bk, host) ==
    CASE bk.frozen # "no" \/ bk.body = "lost" -> Does(bk, NoWork)
      [] bk.frozen = "no" /\ bk.body # "lost" /\ ~bk.synced -> FenceWork(bk, host)
      [] bk.frozen = "no" /\ bk.body # "lost" /\ bk.synced /\ Islands(bk) -> RingWork(bk)
      [] bk.frozen = "no" /\ bk.synced /\ ~Islands(bk) /\ ~bk.reconciling /\ bk.body = "commissioning" ->
             \* `a` says which body is meant: the last sequence it holds, Nil for one without an epoch.
             Does(bk, Work(bk, "commission", EpochStart(bk.epoch), bk.bodyTag, IF bk.keeps THEN KnownTop(bk) ELSE Nil, 0))
      [] bk.frozen = "no" /\ bk.synced /\ ~Islands(bk) /\ ~bk.reconciling /\ bk.body = "retiring" ->
             Does(bk, Work(bk, "retire", Nil, bk.bodyTag, 0, 0))
      [] bk.frozen = "no" /\ bk.synced /\ ~Islands(bk) /\ ~bk.reconciling /\ bk.body = "live" ->
             OrderWork(bk, host)
      [] OTHER -> Does(bk, NoWork)

-----------------------------------------------------------------------------
(* What people ask.                                                         *)

MakeOrder(db, o, host) ==
    Row([db EXCEPT !.book.orders =
             Append(@, [o |-> o, g |-> host, state |-> "waiting", s |-> Nil, code |-> FALSE])], o, "open")

AskCancel(db, o) ==
    LET bk == db.book
        x == OrderOf(bk, o)
        free == x.s = Nil /\ (EndsInBooks(bk) \/ Hole = "unnumbered cancel")
        checked == /\ Hole = "cancel after a check"
                   /\ bk.synced /\ ~Islands(bk) /\ ~bk.reconciling /\ bk.frozen = "no"
    IN IF free \/ checked THEN Row([db EXCEPT !.book = Without(@, o)], o, "cancelled")
       ELSE [db EXCEPT !.book = Replaced(@, [x EXCEPT !.state = "cancelling"])]

CodeNumber(bk) ==
    LET claims == {x \in Range(bk.orders) : x.s # Nil}
    IN IF (\E x \in claims : ~x.code) \/ Cardinality(claims) >= CodesMax THEN Nil
       ELSE NextSequence(IssuedTop(bk))

MayIssue(bk, o) ==
    /\ CodesMax > 0 /\ o \in Open(bk) /\ ~OrderOf(bk, o).code
    /\ bk.body = "live" /\ bk.synced /\ ~bk.reconciling /\ bk.frozen = "no" /\ ~Islands(bk)
    /\ OrderOf(bk, o).state \notin {"cancelling", "lost"}
    /\ OrderOf(bk, o).s # Nil \/ CodeNumber(bk) # Nil

IssueCode(bk, o) ==
    LET x == OrderOf(bk, o)
    IN Replaced(bk, [x EXCEPT !.s = IF @ # Nil THEN @ ELSE CodeNumber(bk), !.code = TRUE,
                              !.state = IF @ = "waiting" THEN "sent" ELSE @])

\* The orders that may be the suspense of this amount, and what a match does.
Matches(bk, a, refunded) ==
    {x \in Range(bk.orders) : x.s = Nil /\ x.state # "lost" /\ Amount(x.o) = a /\ x.o \notin refunded}
MatchSuspense(db, o, e) ==
    Row([db EXCEPT !.book = [Without(@, o) EXCEPT !.suspense = @ \ {e}]], o, "delivered")

Reconciled(db) == VoidClaims([db EXCEPT !.book.reconciling = FALSE])

MayCommission(bk, epoch) ==
    /\ bk.body \in {"new", "retired"} /\ bk.synced /\ bk.frozen = "no"
    /\ epoch >= SafeEpochFirst /\ epoch > bk.epoch
AskCommission(bk, epoch, keeps, host) ==
    [bk EXCEPT !.body = "commissioning", !.epoch = epoch, !.bodyTag = <<"c", epoch, host>>, !.keeps = keeps]
AskRetire(bk, host) == [bk EXCEPT !.body = "retiring", !.bodyTag = <<"r", EpochOf(KnownTop(bk)), host>>]

RECURSIVE LoseAll(_, _)
LoseAll(db, orders) ==
    IF orders = <<>> THEN db
    ELSE LET x == Head(orders)
             inside == x.s # Nil \/ ~db.book.synced \/ db.book.frozen # "no"
             lost == IF ~inside THEN db
                     ELSE Row([db EXCEPT !.book = Replaced(@, [x EXCEPT !.state = "lost"])], x.o, "lost")
         IN LoseAll(lost, Tail(orders))
BodyLost(db) == [LoseAll(db, db.book.orders) EXCEPT !.book.body = "lost"]

\* A person ends a freeze and names the holders of numbers that nobody could read.
Thaw(db, holders) ==
    LET reason == db.book.frozen
        told == SettleAll([db EXCEPT !.book.frozen = "no"], holders)
        covered == [told EXCEPT !.book.got = IF Islands(told.book) THEN @ \cup (0..KnownTop(told.book)) ELSE @]
        bk == covered.book
        end == EpochEnd(Max({bk.epoch, EpochOf(Max({Settled(bk), 0}))}))
        body == CASE reason = "old body" -> [bk EXCEPT !.epoch = EpochOf(Max({KnownTop(bk), 0}))]
                  [] reason = "no epoch" -> [bk EXCEPT !.got = @ \cup (0..end), !.body = "retired"]
                  [] OTHER -> bk
        ready == RetiredWhenFull([covered EXCEPT !.book = body])
    IN VoidClaims(IF Hole = "thaw" THEN Unsync(ready) ELSE [ready EXCEPT !.book = BeginFences(@)])
=============================================================================
