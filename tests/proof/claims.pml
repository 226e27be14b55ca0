/* Lease, claim, merge, reset, expiry and revert: three workers, two tasks, one remote.
 *
 * `just proof` checks it with spin. What one atomic step is here is one question to the remote, or one
 * push to it: between two of them anything may happen, a death, too. A label or a comment names the
 * function of ralphgit that does the step.
 *
 * A task's record is its bytes on the base: whether it is complete, its epoch, and the id of the claim
 * that completed it. A merge is git's: theirs is as it was at the fork, or ours and theirs are the same
 * bytes, or it is a conflict. A forge lands a branch by a squash: no ancestry helps.
 *
 * Each of these takes one thing out, and the checker then finds what goes wrong without it:
 *   NO_EPOCH        a reset restores the old bytes
 *   NO_ID           all claims of a task are the same bytes
 *   NO_LEASE        leases are off: that is no fault, as the merge decides
 *   NO_LEASE_SWAP   a lease is read, and then written
 *   NO_PUSH_SWAP    the base is pushed by force
 *   NO_TAKEN_BACK   nobody asks whether the base had a claim before
 *   NO_RESET        nobody resets what a dead worker holds
 */
#ifndef WORKERS
#define WORKERS 3
#endif
#define TASKS 2
#define CLAIMS 7            /* of one worker */
#ifndef CRASHES
#define CRASHES 1
#endif
#ifndef RESETS
#define RESETS 1            /* of a task whose holder is alive */
#endif
#ifndef REVERTS
#define REVERTS 1
#endif
#ifndef AGAIN
#define AGAIN 1             /* a branch that still stands is landed by somebody else */
#endif

/* -- the remote ------------------------------------------------------------------------------ */

byte version;               /* the commit of the base */
bool complete[TASKS];
byte epoch[TASKS];
byte claim[TASKS];          /* the id of the claim that completed it, 0 for none */
bool taken[WORKERS * CLAIMS + 1];  /* the claims that the base had, and has no longer */
byte lease[TASKS];          /* refs/ralph/leases/TASK: the id of its claim, 0 for none */
byte lease_epoch[TASKS];
byte holder[TASKS];         /* the worker that the lease names */

/* -- what is left of each worker's last claim: its branch ------------------------------------- */

bool branch[WORKERS];
byte branch_task[WORKERS];
byte branch_epoch[WORKERS]; /* of the record at the fork */
byte branch_claim[WORKERS];

/* -- what only the checker knows --------------------------------------------------------------- */

bool dead[WORKERS];
byte working[WORKERS];      /* the task + 1 that a worker has the lease of, 0 for none */
byte working_epoch[WORKERS];
byte crashes = CRASHES, resets = RESETS, reverts = REVERTS, again = AGAIN;
bool was_reset[WORKERS * CLAIMS + 1];
byte arrived;               /* workers that have begun: which is the first one is all the same */
byte done_by[TASKS];        /* the worker + 1 whose work the base has */
bool l1_two_work_on_one_task;
bool l1_done_by_two;
bool l3_late_change_landed;
bool l6_work_was_lost;
bool l12_landed_again;

/* lost_claim.is_overtaken: the base has moved past the lease's claim. */
#define DEAD(t) (lease_epoch[t] < epoch[t] || complete[t] || taken[lease[t]])
/* readiness and claim_verdict.of_task */
#ifdef NO_LEASE
#define READY(t) (!complete[t])
#else
#define READY(t) (!complete[t] && (lease[t] == 0 || DEAD(t)))
#endif
/* what a commit of the base that came after the look says of the task */
#define NEWS(t) (complete[t] || epoch[t] != at_epoch)
#ifdef NO_RESET
#define SILENT(t) false
#else
#define SILENT(t) dead[holder[t]]
#endif
/* A lease expires, or a person resets: no silence proves a death. */
#define MAY_RESET(t) (lease[t] != 0 && !DEAD(t) && (SILENT(t) || resets > 0))
#ifdef NO_ID
#define NEW_ID(w, n, t) (t + 1)
#else
#define NEW_ID(w, n, t) (w * CLAIMS + n + 1)
#endif

inline begins(w, t) {
    /* Of all who have the lease of a task at one epoch, one is at work. */
    other = 0;
    do
    :: other < WORKERS ->
        l1_two_work_on_one_task = l1_two_work_on_one_task || (
            other != w && working[other] == t + 1 && working_epoch[other] == epoch[t]);
        other++
    :: else -> break
    od;
    other = 0;
    assert(!l1_two_work_on_one_task);
    working[w] = t + 1;
    working_epoch[w] = epoch[t]
}

/* landing.merge.by_merge: fetch, merge in memory, push with the commit that was fetched as the old
 * one; from the start where that has moved. `landed` says whether the base has the work. */
inline land(w, t, at_epoch, id) {
    landed = false;
landing:
    atomic {
        seen = version;
        seen_other_complete = complete[1 - t];
        if
#ifndef NO_TAKEN_BACK
        :: taken[id] -> goto not_landed         /* taken_back.of, lost_claim.winner_over */
#endif
        :: else -> skip
        fi;
        if
        :: complete[t] && claim[t] == id ->     /* the same bytes: a clean merge */
            l1_done_by_two = done_by[t] != w + 1;
            assert(!l1_done_by_two);
            landed = true;
            goto not_landed
        :: !complete[t] && epoch[t] == at_epoch -> skip    /* theirs is as at the fork */
        :: else -> goto not_landed              /* a conflict: yield_claim, lost_claim.winner_over */
        fi
    }
    atomic {                                    /* update_base.publish */
        if
#ifndef NO_PUSH_SWAP
        :: version != seen -> goto landing
#endif
        :: else ->
            l6_work_was_lost = complete[1 - t] && !seen_other_complete;
            assert(!l6_work_was_lost);
            l3_late_change_landed = was_reset[id];
            assert(!l3_late_change_landed);
            l12_landed_again = taken[id];
            assert(!l12_landed_again);
            version++;
            complete[t] = true;
            epoch[t] = at_epoch;
            claim[t] = id;
            done_by[t] = w + 1;
            landed = true
        fi;
        if
        :: working[w] == t + 1 -> working[w] = 0; working_epoch[w] = 0
        :: else -> skip
        fi
    }
not_landed:
    seen = 0; seen_other_complete = 0
}

/* reset.back_to_pending, for reset.reset and for expired_leases.take_back: the base first, then
 * the lease. */
inline reopen(t, id) {
    seen = 0;
reopening:
    atomic {
        if
        :: complete[t] || lease[t] != id -> goto not_reopened   /* claim_changed, or it is done */
        :: else -> seen = version
        fi
    }
    atomic {                                    /* update_base.publish */
        if
        :: version != seen -> goto reopening
        :: else ->
            version++;
            was_reset[id] = true;
#ifndef NO_EPOCH
            epoch[t] = epoch[t] + 1;
#endif
            if
            :: working[holder[t]] == t + 1 && lease[t] == id ->
                working[holder[t]] = 0; working_epoch[holder[t]] = 0
            :: else -> skip
            fi
        fi
    }
    atomic {                                    /* leases.drop */
        if
        :: lease[t] == id -> lease[t] = 0; lease_epoch[t] = 0; holder[t] = 0
        :: else -> skip
        fi
    }
not_reopened:
    seen = 0
}

/* -- who is there -------------------------------------------------------------------------------- */

proctype Worker(byte w) {
    byte t, at_epoch, id, old, seen, number, other;
    bool seen_other_complete, landed;

end_next:                                       /* next: waits where nothing is ready */
    atomic {                                    /* fetch.synchronise, ClaimMap, claim_verdict */
        if
        :: arrived >= w && READY(0) -> t = 0
        :: arrived >= w && arrived > 0 && READY(1) -> t = 1
        fi;
        arrived = (arrived == w -> w + 1 : arrived);
        seen = version;
        old = lease[t];
        at_epoch = epoch[t];
        id = NEW_ID(w, number, t)
    }
    atomic {                                    /* leases.acquire: refs.swap, remote.push */
        if
#ifdef NO_LEASE
        :: true -> number++; assert(number < CLAIMS)    /* granted, and not stored */
        :: false ->
#elif defined(NO_LEASE_SWAP)
        :: true ->
#else
        :: lease[t] == old || lease[t] == id ->  /* what is there already is pushed with success */
#endif
            lease[t] = id;
            lease_epoch[t] = at_epoch;
            holder[t] = w;
            old = 0;
            number++;
            assert(number < CLAIMS);
            if
            :: epoch[t] == at_epoch && !complete[t] -> begins(w, t)
            :: else -> skip
            fi
        :: else -> goto refused                 /* LeaseHeld */
        fi
    }
    if
    :: atomic {                                 /* claim._is_news: leases.drop, and once more */
        NEWS(t) ->
        if
        :: lease[t] == id -> lease[t] = 0; lease_epoch[t] = 0; holder[t] = 0
        :: else -> skip
        fi;
        working[w] = 0; working_epoch[w] = 0;
        goto refused
       }
    :: atomic { !NEWS(t) -> seen = 0 }          /* claim._write: staged, and the agent works */
    fi;
    if
    :: atomic { crashes > 0 -> crashes--; goto killed }
    :: atomic {                                 /* complete.complete: committed on the branch */
        if
        :: again > 0 ->
            branch[w] = true;
            branch_task[w] = t;
            branch_epoch[w] = at_epoch;
            branch_claim[w] = id
        :: else -> skip
        fi
       }
    fi;
    if
    :: atomic { crashes > 0 -> crashes--; goto killed }
    :: true -> land(w, t, at_epoch, id)
    fi;
    if
    :: atomic { landed && crashes > 0 -> crashes--; goto killed }
    :: true ->
        atomic {                                /* leases.drop; a loser's work is in a rescue ref */
            if
            :: lease[t] == id -> lease[t] = 0; lease_epoch[t] = 0; holder[t] = 0
            :: else -> skip
            fi;
            if
            :: working[w] == t + 1 -> working[w] = 0; working_epoch[w] = 0
            :: else -> skip
            fi
        }
    fi;
refused:
    atomic { t = 0; at_epoch = 0; id = 0; old = 0; seen = 0; landed = false }
    goto end_next;
killed:                                         /* its lease and its branch are left */
    atomic {
        dead[w] = true;
        working[w] = 0; working_epoch[w] = 0;
        t = 0; at_epoch = 0; id = 0; old = 0; seen = 0; landed = false; number = 0
    }
}

/* reset.reset by a person, and expired_leases.take_back by a loop: of the dead, and, as no silence
 * proves a death, of the living, too. */
proctype Resetter() {
    byte t, id, seen;
end_watch:
    atomic {
        if
        :: MAY_RESET(0) -> t = 0
        :: MAY_RESET(1) -> t = 1
        fi;
        if
        :: SILENT(t) -> skip
        :: else -> resets--
        fi;
        id = lease[t]
    }
    reopen(t, id);
    atomic { t = 0; id = 0 }
    goto end_watch
}

/* revert.revert, or the forge's button: the bytes are as before the claim. */
proctype Reverter() {
    byte t, seen;
end_revert:
    atomic {
        reverts > 0;
        if
        :: complete[0] -> t = 0
        :: complete[1] -> t = 1
        fi;
        reverts--;
        seen = version
    }
    atomic {
        if
        :: version == seen ->
            version++;
            complete[t] = false;
            taken[claim[t]] = true;
            claim[t] = 0;
            done_by[t] = 0
        :: else -> reverts++
        fi;
        t = 0; seen = 0
    }
    goto end_revert
}

inline forget(w) {
    branch[w] = false; branch_task[w] = 0; branch_epoch[w] = 0; branch_claim[w] = 0
}

/* land --all, or the forge's button: whatever branch stands, of the dead, too. */
proctype Lander() {
    byte w, t, at_epoch, id, seen;
    bool seen_other_complete, landed;
end_land:
    atomic {
        again > 0;
        if
        :: branch[0] -> w = 0
        :: branch[1] -> w = 1
        :: branch[WORKERS - 1] -> w = WORKERS - 1
        fi;
        again--;
        t = branch_task[w];
        at_epoch = branch_epoch[w];
        id = branch_claim[w];
        if
        :: again == 0 -> forget(0); forget(1); forget(WORKERS - 1)
        :: else -> skip
        fi
    }
    land(w, t, at_epoch, id);
    atomic { w = 0; t = 0; at_epoch = 0; id = 0; landed = false }
    goto end_land
}

/* At the end, whatever has happened: all is done, and nothing is held. */
init {
    atomic {
        run Worker(0); run Worker(1);
#if WORKERS > 2
        run Worker(2);
#endif
        run Resetter(); run Reverter(); run Lander()
    }
    timeout;
    assert(complete[0] && complete[1]);
    assert((lease[0] == 0 || DEAD(0)) && (lease[1] == 0 || DEAD(1)))
}
