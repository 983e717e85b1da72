/* The gate's protocol on Postgres' advisory locks, for the model checker Spin: see README.md beside this file.
 *
 * Needs -DCAPACITY= (1 or 2), -DUPPER= -DMIDDLE= -DLOWER= (clients of each class, MIDDLE may be 0) and -DFAULTS= (so
 * many clients die or are cancelled, each at any step). -DREARM: any wait may end and begin again, -DFEW=n: n times in all.
 * Mutations, each of which must be found: NO_SECOND_LOOK, EARLY_RUNG, THREE_MUTEXES, LEAK, BODY_OUTLIVES; with REARM
 * also NO_STEP_BACK and NO_MARK.
 */

#if MIDDLE > 0
#define CLASSES 3
#else
#define CLASSES 2
#endif
#define CLIENTS (UPPER + MIDDLE + LOWER)
#define LOCKS (CLASSES + CAPACITY)
#define RUNG(c) (c)
#define SLOT(i) (CLASSES + (i))
#define SESSION(p, i) ((i) * CLIENTS + (p)) /* a client has one for each slot; its first, number p, takes the rung */
#define CLASS_OF(p) ((p) < UPPER -> 0 : ((p) < UPPER + MIDDLE -> 1 : CLASSES - 1))
#define BIT(p) (1 << (p))
#define ABOVE(p) ((p) < UPPER -> 0 : ((p) < UPPER + MIDDLE -> BIT(UPPER) - 1 : BIT(UPPER + MIDDLE) - 1))
#define PEERS(p) ((p) < UPPER -> BIT(UPPER) - 1 : \
	((p) < UPPER + MIDDLE -> BIT(UPPER + MIDDLE) - BIT(UPPER) : BIT(CLIENTS) - BIT(UPPER + MIDDLE)))

#define MEMBERS(c) ((c) == 0 -> BIT(UPPER) - 1 : ((c) == CLASSES - 1 -> BIT(CLIENTS) - BIT(UPPER + MIDDLE) : \
	BIT(UPPER + MIDDLE) - BIT(UPPER)))

/* ---- The lock manager. A request waits when it conflicts with a holder or with anybody queued; a release, and a
 * waiter that leaves the queue, let in from the queue's head whoever no longer conflicts. */
#define EXCLUSIVE 0
#define SHARED 1
#define OWNS(s, lock) (owner[lock] == (s) + 1)
#define SHARES(s, lock) (sharers[lock] & BIT(s))
#define WAITS(s, lock) (queued[lock] & BIT(s))
#define FITS(lock, m) (owner[lock] == 0 && (m == SHARED || sharers[lock] == 0))
#define FREE(lock, m) (queued[lock] == 0 && FITS(lock, m))

byte owner[LOCKS];    /* the session that holds it exclusively, counted from 1 */
short sharers[LOCKS]; /* the sessions that hold it shared, as bits */
short queued[LOCKS];  /* the sessions that wait for it, as bits; their order is in `queue` */
chan queue[LOCKS] = [CLIENTS * CAPACITY] of { byte, byte };

/* ---- What the checks look at, and who dies; bits are clients. */
byte waiting;         /* asked, and is neither let in nor gone */
byte inside, serving; /* uses the model; how many do */
byte owed[CAPACITY];  /* waited at the moment this slot was handed over, and still does */
byte before[CLIENTS]; /* of its class, asked before it, and still waits */
byte marked;          /* holds MARK: waits for the rung, also between two waits, when it is in no queue */
byte late;            /* holds LATE: began its wait for the rung again, so that its place there is not by age */
byte struck;          /* its session dies or is cancelled now */
byte gone;            /* how many clients will not come again */

#ifdef FEW
byte renewed; /* how many waits were begun again */
#define MAY_RENEW (renewed < FEW)
#define RENEWS renewed++;
#else
#define MAY_RENEW true
#define RENEWS
#endif

hidden byte who, next, mode, at;

inline grant(s, lock, m)
{
	if
	:: m == EXCLUSIVE -> owner[lock] = (s) + 1
	:: else -> sharers[lock] = sharers[lock] | BIT(s)
	fi;
	if
	:: lock >= CLASSES -> owed[lock - CLASSES] = waiting
	:: else
	fi
}

inline request(s, lock, m)
{
	if
	:: FREE(lock, m) -> grant(s, lock, m)
	:: else -> queue[lock]!s, m; queued[lock] = queued[lock] | BIT(s)
	fi
}

inline drop(s, lock) /* releases it, or leaves its queue; then the lock manager hands it on */
{
	if
	:: OWNS(s, lock) -> owner[lock] = 0
	:: else -> sharers[lock] = sharers[lock] & ~BIT(s)
	fi;
	if
	:: WAITS(s, lock) -> queue[lock]??eval(s), mode; queued[lock] = queued[lock] & ~BIT(s)
	:: else
	fi;
	do
	:: queued[lock] ->
		queue[lock]?<next, mode>;
		if
		:: FITS(lock, mode) ->
			queue[lock]?next, mode;
			queued[lock] = queued[lock] & ~BIT(next);
			grant(next, lock, mode)
		:: else -> break
		fi
	:: else -> break
	od;
	next = 0; mode = 0
}

/* ---- The checks. */
inline waits_no_more(p)
{
	waiting = waiting & ~BIT(p);
	late = late & ~BIT(p);
	marked = marked & ~BIT(p);
	before[p] = 0;
	for (at : 0 .. CLIENTS - 1) { before[at] = before[at] & ~BIT(p) };
	for (at : 0 .. CAPACITY - 1) { owed[at] = owed[at] & ~BIT(p) };
	at = 0
}

inline begins(p, slot)
{
	assert((owed[slot] & ABOVE(p)) == 0); /* P2: nobody above waited when this slot was handed over */
	assert(before[p] == 0);               /* P3: nobody of its class came before */
	waits_no_more(p);
	inside = inside | BIT(p);
	serving++;
	assert(serving <= CAPACITY)           /* P1 */
}

inline ends(p)
{
	serving = serving - ((inside >> p) & 1);
	inside = inside & ~BIT(p)
}

/* ---- Step 1: the rung of the class. Time passes between two waits for it, and only the mark tells of who waits. */
#ifdef NO_STEP_BACK
#define OLDER(p) 0
#else
#define OLDER(p) (late & before[p])
#endif

inline rise(p, c)
{
	d_step { before[p] = waiting & PEERS(p); waiting = waiting | BIT(p); marked = marked | BIT(p);
		request(p, RUNG(c), EXCLUSIVE) };
	do
#ifdef REARM
	/* A slice of the wait is over: to the tail of the queue, late from now on. */
	:: d_step { WAITS(p, RUNG(c)) && MAY_RENEW -> RENEWS late = late | BIT(p); drop(p, RUNG(c)) };
		d_step { request(p, RUNG(c), EXCLUSIVE) }
#endif
	/* Somebody older is late and stands in the queue: the rung to the next, and to the tail. */
	:: d_step { OWNS(p, RUNG(c)) && (OLDER(p) & queued[RUNG(c)]) ->
		late = late | BIT(p); marked = marked | BIT(p); drop(p, RUNG(c)) };
		d_step { request(p, RUNG(c), EXCLUSIVE) }
	:: d_step { OWNS(p, RUNG(c)) && OLDER(p) == 0 -> late = late & ~BIT(p); marked = marked & ~BIT(p) }; break
	od;
	skip
}

/* ---- Steps 2 to 4 for one slot, in a session of its own; with several slots they run side by side. */
#define BELOW 0  /* asks for the rung `rung[i]` above, shared, or for the slot when it has passed all */
#define PASSES 1 /* waits for that rung */
#define STANDS 2 /* waits for the slot */
#define LOOKS 3  /* has the slot, looks again at the rung `rung[i]` above */

#ifdef REARM /* a slice of the wait is over; the rung of the class stays locked */
#define REARMED(p, i) \
	:: d_step { reach[i] == PASSES && WAITS(SESSION(p, i), RUNG(rung[i])) && MAY_RENEW -> RENEWS \
		drop(SESSION(p, i), RUNG(rung[i])); reach[i] = BELOW } \
	:: d_step { reach[i] == STANDS && WAITS(SESSION(p, i), SLOT(i)) && MAY_RENEW -> RENEWS \
		drop(SESSION(p, i), SLOT(i)); rung[i] = CLASS_OF(p); reach[i] = BELOW }
#else
#define REARMED(p, i)
#endif

#ifdef NO_MARK
#define CLEAR(c) FREE(RUNG(c), SHARED)
#else
#define CLEAR(c) (FREE(RUNG(c), SHARED) && (marked & MEMBERS(c)) == 0)
#endif

#define REACH(p, i) \
	:: d_step { reach[i] == BELOW && rung[i] < CLASS_OF(p) -> \
		request(SESSION(p, i), RUNG(rung[i]), SHARED); reach[i] = PASSES } \
	:: d_step { reach[i] == PASSES && SHARES(SESSION(p, i), RUNG(rung[i])) -> \
		drop(SESSION(p, i), RUNG(rung[i])); rung[i]++; reach[i] = BELOW } \
	:: d_step { reach[i] == BELOW && rung[i] == CLASS_OF(p) -> \
		EARLY(p) request(SESSION(p, i), SLOT(i), EXCLUSIVE); rung[i] = 0; reach[i] = STANDS } \
	:: d_step { reach[i] == STANDS && OWNS(SESSION(p, i), SLOT(i)) -> reach[i] = LOOKS; rung[i] = FIRST_LOOK(p) } \
	:: d_step { reach[i] == LOOKS && rung[i] < CLASS_OF(p) && CLEAR(rung[i]) -> rung[i]++ } \
	:: d_step { reach[i] == LOOKS && rung[i] < CLASS_OF(p) && !(CLEAR(rung[i])) -> \
		drop(SESSION(p, i), SLOT(i)); rung[i] = 0; reach[i] = BELOW } \
	:: reach[i] == LOOKS && rung[i] == CLASS_OF(p) -> slot = i; break \
	REARMED(p, i)

#ifdef NO_SECOND_LOOK
#define FIRST_LOOK(p) CLASS_OF(p)
#else
#define FIRST_LOOK(p) 0
#endif
#ifdef EARLY_RUNG
#define EARLY(p) drop(p, RUNG(CLASS_OF(p)));
#else
#define EARLY(p)
#endif

inline climb(p)
{
	rise(p, CLASS_OF(p));
	do
	REACH(p, 0)
#if CAPACITY > 1
	REACH(p, 1)
#endif
	od;
	skip /* no jump may lead into a d_step */
}

/* The obvious ladder of three mutexes: the lower class takes L, N, M and gives N up when it has M, the upper N, M. */
inline climb_mutexes(p)
{
	rise(p, CLASS_OF(p));
	if
	:: CLASS_OF(p) > 0 -> d_step { request(p, RUNG(0), EXCLUSIVE) }; OWNS(p, RUNG(0))
	:: else
	fi;
	d_step { request(p, SLOT(0), EXCLUSIVE) };
	OWNS(p, SLOT(0));
	d_step { slot = 0; drop(p, RUNG(0)) }
}

#define ENDS(i, lock) \
	:: d_step { OWNS(SESSION(_pid, i), lock) || SHARES(SESSION(_pid, i), lock) || WAITS(SESSION(_pid, i), lock) -> \
		drop(SESSION(_pid, i), lock) }

active [CLIENTS] proctype Client()
{
	byte rung[CAPACITY], reach[CAPACITY], slot;
	do
	:: gone++; break
	:: true ->
		{
#ifdef THREE_MUTEXES
			climb_mutexes(_pid);
#else
			climb(_pid);
#endif
progress:		d_step { begins(_pid, slot) };
			d_step { drop(_pid, RUNG(CLASS_OF(_pid))) };
#if CAPACITY > 1
			/* The other session is cancelled, before the call ends or after. */
			do
			ENDS(1 - slot, 0)
			ENDS(1 - slot, 1)
			ENDS(1 - slot, SLOT(1 - slot))
			:: break
			od;
			skip;
#endif
			d_step { ends(_pid); drop(SESSION(_pid, slot), SLOT(slot)) }
		} unless { struck & BIT(_pid) };
		d_step {
			waits_no_more(_pid);
#ifndef BODY_OUTLIVES
			ends(_pid);
#endif
			slot = 0; rung[0] = 0; reach[0] = 0; rung[CAPACITY - 1] = 0; reach[CAPACITY - 1] = 0
		};
		/* What a dead or cancelled session holds, and where it waits, ends lock by lock, in any order. */
		do
#ifndef LEAK
		ENDS(0, 0)
		ENDS(0, 1)
#endif
		ENDS(0, 2)
#if CLASSES > 2
		ENDS(0, 3)
#endif
#if CAPACITY > 1
		ENDS(1, 0)
		ENDS(1, 1)
		ENDS(1, SLOT(1))
#endif
		:: else -> break
		od;
		skip;
		d_step { ends(_pid); struck = struck & ~BIT(_pid) }
	od
}

active proctype Fate() /* strikes clients that wait or are inside, and looks at the locks when all are gone */
{
	byte left = FAULTS;
	do
	:: atomic {
		left > 0 && (waiting | inside) -> left--;
		if
		:: (waiting | inside) & BIT(0) -> who = 0
		:: (waiting | inside) & BIT(1) -> who = 1
		:: (waiting | inside) & BIT(2) -> who = 2
		:: (waiting | inside) & BIT(3) -> who = 3
		:: (waiting | inside) & BIT(4) -> who = 4
		fi;
		d_step { struck = struck | BIT(who); who = 0 }
	}
	:: gone == CLIENTS -> break
	od;
	skip;
	d_step {
		for (at : 0 .. LOCKS - 1) { /* P5: nothing is left behind */
			assert(owner[at] == 0 && sharers[at] == 0 && queued[at] == 0)
		};
		assert(inside == 0 && waiting == 0 && late == 0 && marked == 0)
	}
}
