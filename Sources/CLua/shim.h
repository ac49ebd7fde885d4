/* Lua 5.4 for Swift: what Swift cannot call (macros, variadics), and the C frames that keep
 * longjmp away from Swift.
 *
 * Two rules make the boundary safe:
 *  1. A Swift function called by Lua never raises. It returns -1 with the error value on top of
 *     the stack, and `st_trampoline` raises it after the Swift frame is gone.
 *  2. Swift calls an API function that may raise (out of memory included) only through the
 *     `st_...` wrappers that run it under lua_pcall; their result is a Lua status, and a status
 *     other than LUA_OK leaves exactly one value, the error, in place of the arguments.
 * Functions the manual marks "–" (never raises) are called from Swift directly.
 */
#ifndef ST_CLUA_SHIM_H
#define ST_CLUA_SHIM_H

#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lua.h>
#include <lauxlib.h>
#include <lualib.h>

/* ---- State shared by all threads (coroutines) of one Lua state --------------------------- */

typedef struct st_shared {
    void *owner; /* the Swift LuaState, not retained */
    /* Swift entry points; `object` is a retained Swift object kept in a userdata. */
    int (*dispatch)(lua_State *L, void *object);
    int (*index)(lua_State *L, void *info);
    void (*release)(void *object);
    /* Memory, in bytes; limit 0 means none. What Swift objects hold is counted beside Lua's. */
    size_t used, peak, limit, objects;
    /* Fault injection for tests: requests to grow are counted; numbers fail_from up to
     * fail_from + fail_count - 1 are refused. fail_from 0 switches it off. */
    size_t allocations, fail_from, fail_count;
    /* Stopping a run: read by the count hook. */
    lua_State *main;
    /* The copies in use of st_trampoline and st_hook: each object file has its own, so that their
     * addresses are told apart by comparing with these, never with the names. */
    lua_CFunction trampoline;
    lua_Hook hook;
    int interrupt;
    int polls; /* the hook stays armed, for interrupts that come from other threads */
    int hook_interval;
    unsigned long long instructions, instruction_limit;
    /* Traceback taken by the message handler, malloc'ed. */
    char *traceback;
    size_t traceback_length;
    /* Traceback of an error on its way through Swift; its value is at key_inflight. */
    char *inflight;
    size_t inflight_length;
    int warnings; /* warn("@on") */
    int warning_continues;
    /* Addresses used as registry keys. */
    char key_box, key_error, key_cache, key_memory, key_interrupt, key_limit, key_inflight;
} st_shared;

/* A Swift object inside a full userdata. `object` is NULL once released. */
typedef struct st_userdata {
    void *object;
    const void *info; /* the Swift LuaClassInfo, kept alive by the LuaState; NULL: a function box */
    size_t bytes; /* its share of st_shared.objects */
    int wants_traceback; /* an error made in advance, whose place is known when it is raised */
} st_userdata;

static inline st_shared *st_shared_of(lua_State *L) {
    return *(st_shared **)lua_getextraspace(L);
}

/* ---- Memory ------------------------------------------------------------------------------ */

static inline void *st_alloc(void *ud, void *ptr, size_t osize, size_t nsize) {
    st_shared *s = (st_shared *)ud;
    if (ptr == NULL) osize = 0; /* then osize is the kind of object */
    if (nsize == 0) {
        free(ptr);
        s->used -= osize;
        return NULL;
    }
    if (nsize > osize) {
        s->allocations += 1;
        if (s->fail_from != 0 && s->allocations >= s->fail_from &&
            s->allocations - s->fail_from < s->fail_count)
            return NULL;
        if (s->limit != 0 && (s->used > s->limit || nsize - osize > s->limit - s->used))
            return NULL;
        /* Who makes long strings again and again does so in few instructions. */
        s->instructions += (nsize - osize) / 64;
    }
    void *p = realloc(ptr, nsize);
    if (p == NULL) {
        if (nsize > osize) return NULL;
        p = ptr; /* Lua relies on shrinking never failing */
    }
    s->used = s->used - osize + nsize;
    if (s->used > s->peak) s->peak = s->used;
    return p;
}

/* ---- Interrupt and instruction limit ----------------------------------------------------- */

static inline void st_interrupt(st_shared *s, int value) {
    __atomic_store_n(&s->interrupt, value, __ATOMIC_RELAXED);
}

static inline int st_interrupted(const st_shared *s) {
    return __atomic_load_n(&s->interrupt, __ATOMIC_RELAXED);
}

static inline void st_arm(lua_State *L);

/* The registry key of the error that has to be raised now, or NULL. */
static inline const void *st_stop(const st_shared *s) {
    if (st_interrupted(s)) return &s->key_interrupt;
    if (s->instruction_limit != 0 && s->instructions > s->instruction_limit) return &s->key_limit;
    return NULL;
}

/* Raises the error of key, and looks at every instruction of this thread from now on. */
static inline int st_raise(lua_State *L, const void *key) {
    lua_sethook(L, st_shared_of(L)->hook, LUA_MASKCOUNT, 1);
    lua_checkstack(L, 1);
    lua_rawgetp(L, LUA_REGISTRYINDEX, key);
    return lua_error(L);
}

/* Counts steps that a C function takes as instructions; raises as the hook does. */
static inline void st_charge(lua_State *L, size_t steps) {
    st_shared *s = st_shared_of(L);
    unsigned long long sum = s->instructions + steps;
    s->instructions = sum < steps ? ~0ull : sum;
    const void *key = st_stop(s);
    if (key != NULL) st_raise(L, key);
}

/* The same for a call from Swift, which may have nothing but C and Swift below it: 1 when the
 * instruction limit is reached. */
static inline int st_chargecall(st_shared *s) {
    if (s->instruction_limit == 0) return 0;
    s->instructions += 100;
    return s->instructions > s->instruction_limit;
}

/* Runs every `hook_interval` VM instructions of a thread that is armed (see st_arm).
 * Once it has raised, it looks at every instruction, so that a loop around pcall cannot
 * outlive the interrupt: the first instruction outside all pcalls raises again. */
static inline void st_hook(lua_State *L, lua_Debug *ar) {
    (void)ar;
    st_shared *s = st_shared_of(L);
    int every = lua_gethookcount(L);
    s->instructions += (unsigned long long)every;
    const void *key = st_stop(s);
    if (key == NULL)
        st_arm(L);
    else
        st_raise(L, key);
}

/* A count hook halves Lua's speed. So the main thread has it only while there is something to
 * watch: an interrupt that is pending, an instruction limit, or interrupts from other threads.
 * Coroutines always have it, since a signal handler can't know which of them runs. */
static inline int st_watches(lua_State *L) {
    st_shared *s = st_shared_of(L);
    return L != s->main || s->polls || s->instruction_limit != 0 || st_interrupted(s);
}

static inline void st_arm(lua_State *L) {
    st_shared *s = st_shared_of(L);
    if (!st_watches(L)) {
        if (lua_gethook(L) == s->hook) lua_sethook(L, NULL, 0, 0);
        if (!st_interrupted(s)) return; /* a signal may have come in between */
    }
    if (lua_gethook(L) != s->hook || lua_gethookcount(L) != s->hook_interval)
        lua_sethook(L, s->hook, LUA_MASKCOUNT, s->hook_interval);
}

/* From a signal handler on the thread that runs the state, as lua.c does. */
static inline void st_interruptnow(st_shared *s) {
    st_interrupt(s, 1);
    lua_sethook(s->main, s->hook, LUA_MASKCOUNT, 1);
}

/* coroutine.create and coroutine.wrap (upvalue 1) whose threads are armed: they inherit the hook
 * of their maker. */
static inline int st_makethread(lua_State *L) {
    luaL_checktype(L, 1, LUA_TFUNCTION);
    st_shared *s = st_shared_of(L);
    /* A new thread would run for a while before its hook does, and could make more of them. */
    if (st_stop(s) != NULL) return st_raise(L, st_stop(s));
    lua_Hook hook = lua_gethook(L);
    int mask = lua_gethookmask(L), count = lua_gethookcount(L);
    if (hook != s->hook) lua_sethook(L, s->hook, LUA_MASKCOUNT, s->hook_interval);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushvalue(L, 1);
    lua_call(L, 1, 1);
    if (hook != s->hook) lua_sethook(L, hook, mask, count);
    if (st_interrupted(s)) st_arm(L);
    return 1;
}

/* ---- Errors ------------------------------------------------------------------------------ */

/* The error userdata at index, or NULL. */
static inline st_userdata *st_toerror(lua_State *L, int index) {
    st_userdata *u = (st_userdata *)lua_touserdata(L, index);
    if (u == NULL || lua_islightuserdata(L, index) || !lua_getmetatable(L, index)) return NULL;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &st_shared_of(L)->key_error);
    int same = lua_rawequal(L, -1, -2);
    lua_settop(L, -3);
    return same ? u : NULL;
}

static inline void st_keep(char **slot, size_t *length, const char *text, size_t n) {
    free(*slot);
    *slot = (char *)malloc(n + 1);
    *length = 0;
    if (*slot == NULL) return;
    memcpy(*slot, text, n);
    (*slot)[n] = 0;
    *length = n;
}

static inline void st_droptraceback(st_shared *s) {
    free(s->traceback);
    s->traceback = NULL;
    s->traceback_length = 0;
}

/* Registry keys: addresses of fields, which Swift can't take reliably. */
static inline const void *st_errorkey(st_shared *s) { return &s->key_error; }
static inline const void *st_interruptkey(st_shared *s) { return &s->key_interrupt; }
static inline const void *st_limitkey(st_shared *s) { return &s->key_limit; }
static inline const char *st_empty(void) { return ""; }

/* Text that grows by malloc; gives up silently when there is no memory. */
typedef struct st_text { char *bytes; size_t count, capacity; } st_text;

static inline void st_append(st_text *t, const char *text) {
    size_t n = strlen(text);
    if (t->count + n + 1 > t->capacity) {
        size_t capacity = 2 * (t->count + n + 1) + 256;
        char *bytes = (char *)realloc(t->bytes, capacity);
        if (bytes == NULL) return;
        t->bytes = bytes;
        t->capacity = capacity;
    }
    memcpy(t->bytes + t->count, text, n + 1);
    t->count += n;
}

/* Takes the traceback of L from `level` on into shared->traceback, in the words of
 * luaL_traceback, which can't be used where nothing may be raised (it allocates), and which
 * searches every loaded module for the name of every frame. Frames without a place or a name
 * are the host's own and left out. */
static inline void st_traceback(lua_State *L, int level) {
    enum { first = 12, last = 11 };
    st_shared *s = st_shared_of(L);
    st_text t = {NULL, 0, 0};
    lua_Debug ar;
    char line[LUA_IDSIZE + 256];
    int total = level;
    { /* the number of levels, by doubling and bisection */
        int low = level, high = level + 1;
        while (lua_getstack(L, high, &ar)) {
            low = high;
            high *= 2;
        }
        while (low < high) {
            int middle = (low + high) / 2;
            if (lua_getstack(L, middle, &ar)) low = middle + 1; else high = middle;
        }
        total = low;
    }
    st_append(&t, "stack traceback:");
    for (int i = level; i < total; i++) {
        if (i - level == first && total - i > last) {
            snprintf(line, sizeof line, "\n\t...\t(skipping %d levels)", total - i - last);
            st_append(&t, line);
            i = total - last;
        }
        if (!lua_getstack(L, i, &ar) || !lua_getinfo(L, "Slnt", &ar)) continue;
        if (*ar.what == 'C' && *ar.namewhat == 0) continue;
        if (ar.currentline > 0)
            snprintf(line, sizeof line, "\n\t%s:%d: in ", ar.short_src, ar.currentline);
        else
            snprintf(line, sizeof line, "\n\t%s: in ", ar.short_src);
        st_append(&t, line);
        if (*ar.namewhat != 0) {
            const char *kind = strcmp(ar.namewhat, "global") == 0 ? "function" : ar.namewhat;
            snprintf(line, sizeof line, "%s '%s'", kind, ar.name);
        } else if (*ar.what == 'm') {
            snprintf(line, sizeof line, "main chunk");
        } else {
            snprintf(line, sizeof line, "function <%s:%d>", ar.short_src, ar.linedefined);
        }
        st_append(&t, line);
        if (ar.istailcall) st_append(&t, "\n\t(...tail calls...)");
    }
    free(s->traceback);
    s->traceback = t.bytes;
    s->traceback_length = t.bytes == NULL ? 0 : t.count;
}

/* Message handler: leaves the error value alone and keeps the traceback beside it. */
static inline int st_msgh(lua_State *L) {
    st_shared *s = st_shared_of(L);
    st_userdata *e = st_toerror(L, 1);
    if (e != NULL && !e->wants_traceback) return 1;
    if (s->inflight != NULL) { /* raised again by Swift: the first traceback is the one to show */
        lua_rawgetp(L, LUA_REGISTRYINDEX, &s->key_inflight);
        int same = lua_rawequal(L, 1, -1);
        lua_settop(L, 1);
        if (same) {
            free(s->traceback);
            s->traceback = s->inflight;
            s->traceback_length = s->inflight_length;
            s->inflight = NULL;
            return 1;
        }
    }
    st_traceback(L, 1); /* level 0 is this handler */
    return 1;
}

/* lua_pcall with the handler above. */
static inline int st_pcall(lua_State *L, int nargs, int nresults) {
    int base = lua_gettop(L) - nargs;
    lua_pushcfunction(L, st_msgh);
    lua_insert(L, base);
    int status = lua_pcall(L, nargs, nresults, base);
    lua_remove(L, base);
    return status;
}

/* Place ("file:line: ") of the first Lua function at or above `level`; empty when none. */
static inline void st_where(lua_State *L, int level, char *buffer, size_t size) {
    lua_Debug ar;
    buffer[0] = 0;
    for (; lua_getstack(L, level, &ar); level++) {
        if (!lua_getinfo(L, "Sl", &ar)) return;
        if (ar.currentline > 0) {
            snprintf(buffer, size, "%s:%d: ", ar.short_src, ar.currentline);
            return;
        }
    }
}

/* Pushes the string that makes lua_error raise LUA_ERRMEM. */
static inline void st_pushmemoryerror(lua_State *L) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &st_shared_of(L)->key_memory);
}

/* Remembers the traceback for the value on top, which is about to be raised again. */
static inline void st_rethrow(lua_State *L, const char *traceback, size_t n) {
    st_shared *s = st_shared_of(L);
    st_keep(&s->inflight, &s->inflight_length, traceback, n);
    if (s->inflight == NULL) return;
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &s->key_inflight); /* the key exists: no allocation */
}

static inline void st_forget(lua_State *L) {
    st_shared *s = st_shared_of(L);
    if (s->inflight == NULL) return;
    free(s->inflight);
    s->inflight = NULL;
    lua_pushboolean(L, 0);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &s->key_inflight);
}

/* ---- Swift functions --------------------------------------------------------------------- */

/* Every Swift function in Lua is this one, with its box as first upvalue. */
static inline int st_trampoline(lua_State *L) {
    st_userdata *box = (st_userdata *)lua_touserdata(L, lua_upvalueindex(1));
    if (box == NULL || box->object == NULL)
        return luaL_error(L, "function used after its state was closed");
    int n = st_shared_of(L)->dispatch(L, box->object);
    if (n < 0) return lua_error(L);
    return n;
}

/* The box object of a Swift function at index; NULL for other values. */
static inline void *st_boxobject(lua_State *L, int index) {
    lua_CFunction function = lua_tocfunction(L, index);
    if (function == NULL || function != st_shared_of(L)->trampoline) return NULL;
    if (lua_getupvalue(L, index, 1) == NULL) return NULL;
    st_userdata *box = (st_userdata *)lua_touserdata(L, -1);
    lua_settop(L, -2);
    return box == NULL ? NULL : box->object;
}

/* __gc of boxes, objects and errors. */
static inline int st_release(lua_State *L) {
    st_userdata *u = (st_userdata *)lua_touserdata(L, 1);
    if (u != NULL && u->object != NULL) {
        void *object = u->object;
        u->object = NULL;
        st_shared_of(L)->objects -= u->bytes;
        u->bytes = 0;
        st_shared_of(L)->release(object);
    }
    return 0;
}

/* args: box or nothing. Leaves a closure around a new, empty box, and the box below it. */
static inline int st_do_newfunction(lua_State *L) {
    st_shared *s = st_shared_of(L);
    st_userdata *u = (st_userdata *)lua_newuserdatauv(L, sizeof(st_userdata), 0);
    memset(u, 0, sizeof *u);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &s->key_box);
    lua_setmetatable(L, -2);
    lua_pushvalue(L, -1);
    lua_pushcclosure(L, s->trampoline, 1);
    u->object = *(void **)lua_touserdata(L, 1); /* nothing below can fail */
    return 1;
}

/* Takes over one reference to `object` when LUA_OK. */
static inline int st_newfunction(lua_State *L, void *object) {
    lua_pushcfunction(L, st_do_newfunction);
    lua_pushlightuserdata(L, &object);
    return lua_pcall(L, 1, 1, 0);
}

/* ---- Objects ----------------------------------------------------------------------------- */

/* The Swift object userdata at index, of whatever class, or NULL. */
static inline st_userdata *st_toobject(lua_State *L, int index) {
    st_userdata *u = (st_userdata *)lua_touserdata(L, index);
    if (u == NULL || lua_islightuserdata(L, index) || !lua_getmetatable(L, index)) return NULL;
    int ours = lua_rawgetp(L, -1, st_shared_of(L)) == LUA_TLIGHTUSERDATA;
    lua_settop(L, -3);
    return ours ? u : NULL;
}

typedef struct st_newobject_args { void *object; const void *info; int has_error; } st_newobject_args;

static inline int st_do_newobject(lua_State *L) {
    st_newobject_args *a = (st_newobject_args *)lua_touserdata(L, 1);
    st_shared *s = st_shared_of(L);
    st_userdata *u = (st_userdata *)lua_newuserdatauv(L, sizeof(st_userdata), 0);
    memset(u, 0, sizeof *u);
    u->info = a->info;
    if (a->has_error) {
        u->wants_traceback = a->has_error > 1;
        lua_rawgetp(L, LUA_REGISTRYINDEX, &s->key_error);
        lua_setmetatable(L, -2);
    } else {
        lua_rawgetp(L, LUA_REGISTRYINDEX, a->info);
        lua_setmetatable(L, -2);
        lua_rawgetp(L, LUA_REGISTRYINDEX, &s->key_cache);
        lua_pushvalue(L, -2);
        lua_rawsetp(L, -2, a->object);
        lua_settop(L, -2);
    }
    u->object = a->object;
    return 1;
}

/* Pushes the userdata of `object`: the one it already has, or a new one. *created says which;
 * when set, one reference to `object` has been taken over. */
static inline int st_pushobject(lua_State *L, void *object, const void *info, int *created) {
    st_shared *s = st_shared_of(L);
    *created = 0;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &s->key_cache);
    lua_rawgetp(L, -1, object);
    lua_remove(L, -2);
    st_userdata *u = (st_userdata *)lua_touserdata(L, -1);
    if (u != NULL && u->object == object) return LUA_OK;
    lua_settop(L, -2);
    st_newobject_args a = {object, info, 0};
    lua_pushcfunction(L, st_do_newobject);
    lua_pushlightuserdata(L, &a);
    int status = lua_pcall(L, 1, 1, 0);
    *created = status == LUA_OK;
    return status;
}

/* Pushes an error userdata; takes over one reference to `object` when LUA_OK. */
static inline int st_pusherror(lua_State *L, void *object, int wants_traceback) {
    st_newobject_args a = {object, NULL, wants_traceback ? 2 : 1};
    lua_pushcfunction(L, st_do_newobject);
    lua_pushlightuserdata(L, &a);
    return lua_pcall(L, 1, 1, 0);
}

/* __index of a class: methods first, without leaving C; the rest is Swift's.
 * Upvalues: methods table, light pointer to the class info. */
static inline int st_index(lua_State *L) {
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) return 1;
    lua_settop(L, 2);
    int n = st_shared_of(L)->index(L, lua_touserdata(L, lua_upvalueindex(2)));
    if (n < 0) return lua_error(L);
    return n;
}

/* args: metatable, methods table, light info. Finishes a class metatable. */
static inline int st_do_finishclass(lua_State *L) {
    const void *info = lua_touserdata(L, 3);
    lua_pushlightuserdata(L, (void *)info);
    lua_rawsetp(L, 1, st_shared_of(L));
    lua_pushcfunction(L, st_release);
    lua_setfield(L, 1, "__gc");
    lua_pushvalue(L, 2);
    lua_pushvalue(L, 3);
    lua_pushcclosure(L, st_index, 2);
    lua_setfield(L, 1, "__index");
    lua_pushvalue(L, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, info);
    return 0;
}

/* Stack: metatable, methods (both popped). */
static inline int st_finishclass(lua_State *L, const void *info) {
    lua_pushcfunction(L, st_do_finishclass);
    lua_insert(L, -3);
    lua_pushlightuserdata(L, (void *)info);
    return lua_pcall(L, 3, 0, 0);
}

/* ---- Protected operations ---------------------------------------------------------------- */

typedef struct st_slice { const char *text; size_t count; } st_slice;

static inline int st_do_pushlstring(lua_State *L) {
    const st_slice *a = (const st_slice *)lua_touserdata(L, 1);
    lua_pushlstring(L, a->text, a->count);
    return 1;
}

static inline int st_pushlstring(lua_State *L, const char *text, size_t count) {
    st_slice a = {text, count};
    lua_pushcfunction(L, st_do_pushlstring);
    lua_pushlightuserdata(L, &a);
    return lua_pcall(L, 1, 1, 0);
}

static inline int st_do_createtable(lua_State *L) {
    lua_createtable(L, (int)lua_tointegerx(L, 1, NULL), (int)lua_tointegerx(L, 2, NULL));
    return 1;
}

static inline int st_createtable(lua_State *L, int narr, int nrec) {
    lua_pushcfunction(L, st_do_createtable);
    lua_pushinteger(L, narr);
    lua_pushinteger(L, nrec);
    return lua_pcall(L, 2, 1, 0);
}

/* A sequence of numbers in one go. */
typedef struct st_numbers { const void *values; size_t count; int kind; } st_numbers;

static inline int st_do_pushnumbers(lua_State *L) {
    const st_numbers *a = (const st_numbers *)lua_touserdata(L, 1);
    lua_createtable(L, a->count > 0x7fffffff ? 0 : (int)a->count, 0);
    for (size_t i = 0; i < a->count; i++) {
        switch (a->kind) {
        case 0: lua_pushnumber(L, ((const double *)a->values)[i]); break;
        case 1: lua_pushnumber(L, ((const float *)a->values)[i]); break;
        default: lua_pushinteger(L, ((const long long *)a->values)[i]); break;
        }
        lua_rawseti(L, -2, (lua_Integer)(i + 1));
    }
    return 1;
}

/* kind: 0 double, 1 float, 2 int64 */
static inline int st_pushnumbers(lua_State *L, const void *values, size_t count, int kind) {
    st_numbers a = {values, count, kind};
    lua_pushcfunction(L, st_do_pushnumbers);
    lua_pushlightuserdata(L, &a);
    return lua_pcall(L, 1, 1, 0);
}

static inline int st_do_gettable(lua_State *L) {
    lua_gettable(L, 1);
    return 1;
}

/* Replaces the key on top by t[key]; metamethods run. */
static inline int st_gettable(lua_State *L, int index) {
    index = lua_absindex(L, index);
    lua_pushcfunction(L, st_do_gettable);
    lua_insert(L, -2);
    lua_pushvalue(L, index);
    lua_insert(L, -2);
    return st_pcall(L, 2, 1);
}

static inline int st_do_settable(lua_State *L) {
    lua_settable(L, 1);
    return 0;
}

/* t[key] = value, both popped; metamethods run. */
static inline int st_settable(lua_State *L, int index) {
    index = lua_absindex(L, index);
    lua_pushcfunction(L, st_do_settable);
    lua_insert(L, -3);
    lua_pushvalue(L, index);
    lua_insert(L, -3);
    return st_pcall(L, 3, 0);
}

static inline int st_do_rawset(lua_State *L) {
    lua_rawset(L, 1);
    return 0;
}

static inline int st_rawset(lua_State *L, int index) {
    index = lua_absindex(L, index);
    lua_pushcfunction(L, st_do_rawset);
    lua_insert(L, -3);
    lua_pushvalue(L, index);
    lua_insert(L, -3);
    return lua_pcall(L, 3, 0, 0);
}

static inline int st_do_setmetatable(lua_State *L) {
    lua_setmetatable(L, 1);
    return 0;
}

static inline int st_do_len(lua_State *L) {
    lua_pushinteger(L, luaL_len(L, 1));
    return 1;
}

static inline int st_do_next(lua_State *L) {
    return lua_next(L, 1) ? 2 : 0;
}

/* Replaces the key on top by the next key and value; *more = 0 and nothing at the end. A
 * finalizer may change the table between two steps, hence protected. */
static inline int st_next(lua_State *L, int index, int *more) {
    index = lua_absindex(L, index);
    int height = lua_gettop(L) - 1;
    lua_pushcfunction(L, st_do_next);
    lua_insert(L, -2);
    lua_pushvalue(L, index);
    lua_insert(L, -2);
    int status = lua_pcall(L, 2, LUA_MULTRET, 0);
    *more = status == LUA_OK && lua_gettop(L) > height;
    return status;
}

/* Pushes #value. */
static inline int st_len(lua_State *L, int index) {
    index = lua_absindex(L, index);
    lua_pushcfunction(L, st_do_len);
    lua_pushvalue(L, index);
    return st_pcall(L, 1, 1);
}

static inline int st_do_tostring(lua_State *L) {
    luaL_tolstring(L, 1, NULL);
    return 1;
}

/* Pushes tostring(value). */
static inline int st_tostring(lua_State *L, int index) {
    index = lua_absindex(L, index);
    lua_pushcfunction(L, st_do_tostring);
    lua_pushvalue(L, index);
    return st_pcall(L, 1, 1);
}

static inline int st_do_ref(lua_State *L) {
    lua_settop(L, 1);
    lua_pushinteger(L, luaL_ref(L, LUA_REGISTRYINDEX));
    return 1;
}

/* A new registry slot that holds `false`. A slot is never given back to luaL_unref: Swift keeps
 * the free ones, and storing into an existing key cannot fail. */
static inline int st_newslot(lua_State *L, int *slot) {
    lua_pushcfunction(L, st_do_ref);
    lua_pushboolean(L, 0);
    int status = lua_pcall(L, 1, 1, 0);
    if (status != LUA_OK) return status;
    *slot = (int)lua_tointegerx(L, -1, NULL);
    lua_settop(L, -2);
    return LUA_OK;
}

static inline int st_do_compare(lua_State *L) {
    lua_pushboolean(L, lua_compare(L, 1, 2, (int)lua_tointegerx(L, 3, NULL)));
    return 1;
}

/* Pops two values, pushes the result of ==, < or <= (LUA_OPEQ, LUA_OPLT, LUA_OPLE). */
static inline int st_compare(lua_State *L, int op) {
    lua_pushcfunction(L, st_do_compare);
    lua_insert(L, -3);
    lua_pushinteger(L, op);
    return st_pcall(L, 3, 1);
}

/* ---- Opening, loading -------------------------------------------------------------------- */

static inline void st_warn(void *ud, const char *message, int to_be_continued) {
    st_shared *s = (st_shared *)ud;
    int first = !s->warning_continues;
    s->warning_continues = to_be_continued;
    if (first && !to_be_continued && message[0] == '@') { /* a control message */
        if (strcmp(message, "@on") == 0) s->warnings = 1;
        if (strcmp(message, "@off") == 0) s->warnings = 0;
        return;
    }
    if (!s->warnings) return;
    fprintf(stderr, "%s%s%s", first ? "Lua warning: " : "", message, to_be_continued ? "" : "\n");
}

static inline int st_panic(lua_State *L) {
    (void)L;
    fputs("st-host internal error: a Lua error outside of any protected call; please report\n",
          stderr);
    return 0; /* Lua aborts */
}

/* args: light error metatable functions are set from Swift later. */
static inline int st_do_setup(lua_State *L) {
    st_shared *s = st_shared_of(L);
    lua_createtable(L, 0, 2); /* function boxes */
    lua_pushcfunction(L, st_release);
    lua_setfield(L, -2, "__gc");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_rawsetp(L, LUA_REGISTRYINDEX, &s->key_box);
    lua_createtable(L, 0, 8); /* errors; the other metamethods are added by Swift */
    lua_pushcfunction(L, st_release);
    lua_setfield(L, -2, "__gc");
    lua_pushliteral(L, "error");
    lua_setfield(L, -2, "__name");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_rawsetp(L, LUA_REGISTRYINDEX, &s->key_error);
    lua_createtable(L, 0, 0); /* object -> its userdata, weak */
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "v");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &s->key_cache);
    lua_pushliteral(L, "not enough memory"); /* the very string of a memory error */
    lua_rawsetp(L, LUA_REGISTRYINDEX, &s->key_memory);
    lua_pushboolean(L, 0);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &s->key_inflight);
    lua_pushboolean(L, 0);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &s->key_interrupt);
    lua_pushboolean(L, 0);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &s->key_limit);
    return 0;
}

static inline lua_State *st_newstate(st_shared *s) {
    lua_State *L = lua_newstate(st_alloc, s);
    if (L == NULL) return NULL;
    *(st_shared **)lua_getextraspace(L) = s;
    s->main = L;
    s->trampoline = st_trampoline;
    s->hook = st_hook;
    lua_atpanic(L, st_panic);
    lua_setwarnf(L, st_warn, s);
    lua_pushcfunction(L, st_do_setup);
    if (lua_pcall(L, 0, 0, 0) != LUA_OK) {
        lua_close(L);
        return NULL;
    }
    return L;
}

static inline int st_do_openlibs(lua_State *L) {
    static const luaL_Reg all[] = {
        {LUA_GNAME, luaopen_base},          {LUA_LOADLIBNAME, luaopen_package},
        {LUA_COLIBNAME, luaopen_coroutine}, {LUA_TABLIBNAME, luaopen_table},
        {LUA_IOLIBNAME, luaopen_io},        {LUA_OSLIBNAME, luaopen_os},
        {LUA_STRLIBNAME, luaopen_string},   {LUA_MATHLIBNAME, luaopen_math},
        {LUA_UTF8LIBNAME, luaopen_utf8},    {LUA_DBLIBNAME, luaopen_debug}};
    unsigned mask = (unsigned)lua_tointegerx(L, 1, NULL);
    for (unsigned i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (!(mask & (1u << i))) continue;
        luaL_requiref(L, all[i].name, all[i].func, 1);
        if (all[i].func == luaopen_coroutine) {
            lua_getfield(L, -1, "create");
            lua_pushcclosure(L, st_makethread, 1);
            lua_setfield(L, -2, "create");
            lua_getfield(L, -1, "wrap");
            lua_pushcclosure(L, st_makethread, 1);
            lua_setfield(L, -2, "wrap");
        }
        lua_settop(L, 1);
    }
    return 0;
}

/* Bit i of mask opens the i-th library of the list above. */
static inline int st_openlibs(lua_State *L, unsigned mask) {
    lua_pushcfunction(L, st_do_openlibs);
    lua_pushinteger(L, (lua_Integer)mask);
    return lua_pcall(L, 1, 0, 0);
}

static inline int st_do_loadfile(lua_State *L) {
    const char *path = (const char *)lua_touserdata(L, 1);
    int status = luaL_loadfilex(L, path, "t");
    lua_pushinteger(L, status);
    return 2;
}

/* Compiles a text file (NULL: standard input). Pushes the function, or the error message. */
static inline int st_loadfile(lua_State *L, const char *path) {
    lua_pushcfunction(L, st_do_loadfile);
    lua_pushlightuserdata(L, (void *)path);
    int status = lua_pcall(L, 1, 2, 0);
    if (status != LUA_OK) return status;
    status = (int)lua_tointegerx(L, -1, NULL);
    lua_settop(L, -2);
    return status;
}

#include "sandbox.h"

/* ---- Macros ------------------------------------------------------------------------------ */

static inline void st_pop(lua_State *L, int n) { lua_settop(L, -n - 1); }
static inline int st_collect(lua_State *L) { return lua_gc(L, LUA_GCCOLLECT); }
static inline int st_step(lua_State *L, int kilobytes) { return lua_gc(L, LUA_GCSTEP, kilobytes); }
static inline int st_registryindex(void) { return LUA_REGISTRYINDEX; }
static inline int st_upvalueindex(int i) { return lua_upvalueindex(i); }
static inline void st_insert(lua_State *L, int index) { lua_insert(L, index); }
static inline void st_remove(lua_State *L, int index) { lua_remove(L, index); }
static inline void st_replace(lua_State *L, int index) { lua_replace(L, index); }
static inline int st_type(lua_State *L, int index) { return lua_type(L, index); }
static inline void st_pushcfunction(lua_State *L, lua_CFunction f) { lua_pushcfunction(L, f); }

#endif
