/* Library functions for states that run untrusted scripts: those whose C loops the count hook can't
 * see. Pattern matching backtracks for exponential time, table.move and its like loop over ranges of
 * which nothing needs to exist. These count their steps as instructions, so that the instruction
 * limit and interrupts hold for them, too. Written after the reference manual; a test compares them
 * with the standard ones.
 */
#ifndef ST_CLUA_SANDBOX_H
#define ST_CLUA_SANDBOX_H

/* ---- Find, match: the matcher ------------------------------------------------------------- */

enum {
    ST_STEPS = 4096, /* steps between two looks at the limits */
    ST_CAPTURES = 32,
    ST_DEPTH = 200,  /* nested choices of one match, on the C stack */
    ST_OPEN = -1,    /* length of a capture that has no end yet */
    ST_PLACE = -2    /* length of a capture that is a position */
};

typedef struct st_matcher {
    lua_State *L;
    const char *subject, *end; /* of the subject */
    const char *pattern_end;
    int steps, depth, level;
    struct { const char *start; ptrdiff_t length; } captures[ST_CAPTURES];
} st_matcher;

static inline void st_step_match(st_matcher *m) {
    if (++m->steps < ST_STEPS) return;
    m->steps = 0;
    st_charge(m->L, ST_STEPS);
}

/* Behind the single-character class that begins at p. */
static inline const char *st_class_end(st_matcher *m, const char *p) {
    if (*p++ == '%') {
        if (p == m->pattern_end) luaL_error(m->L, "malformed pattern (ends with '%%')");
        return p + 1;
    }
    if (p[-1] != '[') return p;
    if (p < m->pattern_end && *p == '^') p++;
    do { /* a ']' that comes first is an ordinary character */
        if (p == m->pattern_end) luaL_error(m->L, "malformed pattern (missing ']')");
        if (*p++ == '%' && p < m->pattern_end) p++;
    } while (p == m->pattern_end || *p != ']');
    return p + 1;
}

static inline int st_is_class(int c, int letter) {
    int is;
    switch (tolower(letter)) {
    case 'a': is = isalpha(c); break;
    case 'c': is = iscntrl(c); break;
    case 'd': is = isdigit(c); break;
    case 'g': is = isgraph(c); break;
    case 'l': is = islower(c); break;
    case 'p': is = ispunct(c); break;
    case 's': is = isspace(c); break;
    case 'u': is = isupper(c); break;
    case 'w': is = isalnum(c); break;
    case 'x': is = isxdigit(c); break;
    default: return letter == c;
    }
    return isupper(letter) ? !is : is != 0;
}

/* Whether c is in the set that begins at p, with its ']' at last. */
static inline int st_is_in_set(int c, const char *p, const char *last) {
    int yes = 1;
    if (p[1] == '^') {
        yes = 0;
        p++;
    }
    while (++p < last) {
        if (*p == '%') {
            p++;
            if (st_is_class(c, (unsigned char)*p)) return yes;
        } else if (p[1] == '-' && p + 2 < last) {
            if ((unsigned char)p[0] <= c && c <= (unsigned char)p[2]) return yes;
            p += 2;
        } else if ((unsigned char)*p == c) {
            return yes;
        }
    }
    return !yes;
}

/* Whether the character at s is of the class p...class_end. */
static inline int st_is_one(st_matcher *m, const char *s, const char *p, const char *class_end) {
    st_step_match(m);
    if (s >= m->end) return 0;
    int c = (unsigned char)*s;
    switch (*p) {
    case '.': return 1;
    case '%': return st_is_class(c, (unsigned char)p[1]);
    case '[': return st_is_in_set(c, p, class_end - 1);
    default: return (unsigned char)*p == c;
    }
}

static inline const char *st_match_balanced(st_matcher *m, const char *s, const char *p) {
    if (p >= m->pattern_end - 1)
        luaL_error(m->L, "malformed pattern (missing arguments to '%%b')");
    if (s >= m->end || *s != *p) return NULL;
    int nesting = 1;
    while (++s < m->end) {
        st_step_match(m);
        if (*s == p[1]) {
            if (--nesting == 0) return s + 1;
        } else if (*s == *p) {
            nesting++;
        }
    }
    return NULL;
}

static inline int st_closed_capture(st_matcher *m, int digit) {
    int i = digit - '1';
    if (i < 0 || i >= m->level || m->captures[i].length == ST_OPEN)
        return luaL_error(m->L, "invalid capture index %%%d", i + 1);
    return i;
}

/* The end of the match of p at s, or NULL. */
static inline const char *st_match(st_matcher *m, const char *s, const char *p) {
    if (m->depth++ >= ST_DEPTH) luaL_error(m->L, "pattern too complex");
    const char *result = NULL;
    for (;;) {
        st_step_match(m);
        if (p == m->pattern_end) {
            result = s;
            break;
        }
        if (*p == '(') {
            int is_place = p + 1 < m->pattern_end && p[1] == ')';
            if (m->level >= ST_CAPTURES) luaL_error(m->L, "too many captures");
            m->captures[m->level].start = s;
            m->captures[m->level].length = is_place ? ST_PLACE : ST_OPEN;
            m->level++;
            result = st_match(m, s, p + (is_place ? 2 : 1));
            if (result == NULL) m->level--;
            break;
        }
        if (*p == ')') {
            int i = m->level - 1;
            while (i >= 0 && m->captures[i].length != ST_OPEN) i--;
            if (i < 0) luaL_error(m->L, "invalid pattern capture");
            m->captures[i].length = s - m->captures[i].start;
            result = st_match(m, s, p + 1);
            if (result == NULL) m->captures[i].length = ST_OPEN;
            break;
        }
        if (*p == '$' && p + 1 == m->pattern_end) {
            result = s == m->end ? s : NULL;
            break;
        }
        if (*p == '%' && p + 1 < m->pattern_end) {
            if (p[1] == 'b') {
                s = st_match_balanced(m, s, p + 2);
                if (s == NULL) break;
                p += 4;
                continue;
            }
            if (p[1] == 'f') {
                p += 2;
                if (p >= m->pattern_end || *p != '[')
                    luaL_error(m->L, "missing '[' after '%%f' in pattern");
                const char *set_end = st_class_end(m, p);
                int before = s == m->subject ? 0 : (unsigned char)s[-1];
                int here = s == m->end ? 0 : (unsigned char)*s;
                if (st_is_in_set(before, p, set_end - 1) || !st_is_in_set(here, p, set_end - 1))
                    break;
                p = set_end;
                continue;
            }
            if (isdigit((unsigned char)p[1])) {
                int i = st_closed_capture(m, (unsigned char)p[1]);
                ptrdiff_t length = m->captures[i].length;
                if (length == ST_PLACE) break; /* no text that could come again */
                m->steps += (int)(length / 64 < ST_STEPS ? length / 64 : ST_STEPS);
                if (m->end - s < length ||
                    memcmp(m->captures[i].start, s, (size_t)length) != 0)
                    break;
                s += length;
                p += 2;
                continue;
            }
        }
        const char *class_end = st_class_end(m, p);
        char suffix = class_end < m->pattern_end ? *class_end : 0;
        if (suffix == '?') {
            if (st_is_one(m, s, p, class_end) &&
                (result = st_match(m, s + 1, class_end + 1)) != NULL)
                break;
            p = class_end + 1;
        } else if (suffix == '*' || suffix == '+') {
            ptrdiff_t count = 0;
            while (st_is_one(m, s + count, p, class_end)) count++;
            for (; count >= (suffix == '+'); count--)
                if ((result = st_match(m, s + count, class_end + 1)) != NULL) break;
            break;
        } else if (suffix == '-') {
            while ((result = st_match(m, s, class_end + 1)) == NULL &&
                   st_is_one(m, s, p, class_end))
                s++;
            break;
        } else {
            if (!st_is_one(m, s, p, class_end)) break;
            s++;
            p = class_end;
        }
    }
    m->depth--;
    return result;
}

static inline void st_prepare(st_matcher *m, lua_State *L, const char *subject, size_t n,
                              const char *pattern, size_t k) {
    m->L = L;
    m->subject = subject;
    m->end = subject + n;
    m->pattern_end = pattern + k;
    m->steps = 0;
}

static inline const char *st_match_at(st_matcher *m, const char *s, const char *p) {
    m->depth = 0;
    m->level = 0;
    return st_match(m, s, p);
}

/* Pushes capture i; the whole match where there are none. */
static inline void st_push_capture(st_matcher *m, int i, const char *s, const char *e) {
    if (i >= m->level) {
        if (i != 0) luaL_error(m->L, "invalid capture index %%%d", i + 1);
        lua_pushlstring(m->L, s, (size_t)(e - s));
        return;
    }
    ptrdiff_t length = m->captures[i].length;
    if (length == ST_OPEN) luaL_error(m->L, "unfinished capture");
    if (length == ST_PLACE)
        lua_pushinteger(m->L, m->captures[i].start - m->subject + 1);
    else
        lua_pushlstring(m->L, m->captures[i].start, (size_t)length);
}

/* s NULL: no whole match in the place of captures. */
static inline int st_push_captures(st_matcher *m, const char *s, const char *e) {
    int count = m->level == 0 && s != NULL ? 1 : m->level;
    luaL_checkstack(m->L, count, "too many captures");
    for (int i = 0; i < count; i++) st_push_capture(m, i, s, e);
    return count;
}

/* ---- The functions of the string library --------------------------------------------------- */

/* A start that counts from the end where it is negative, as an offset. */
static inline size_t st_offset(lua_Integer place, size_t length) {
    if (place > 0) return (size_t)place - 1;
    if (place == 0 || place < -(lua_Integer)length) return 0;
    return length + (size_t)place;
}

static inline int st_find_text(lua_State *L, const char *s, size_t n, size_t from,
                               const char *p, size_t k) {
    st_charge(L, (n - from) / 64);
    for (const char *at = s + from, *end = s + n; (size_t)(end - at) >= k; at++) {
        if (k > 0) at = (const char *)memchr(at, *p, (size_t)(end - at));
        if (at == NULL || (size_t)(end - at) < k) break;
        st_charge(L, 1 + k / 64);
        if (memcmp(at, p, k) != 0) continue;
        lua_pushinteger(L, at - s + 1);
        lua_pushinteger(L, at - s + (lua_Integer)k);
        return 2;
    }
    lua_pushnil(L);
    return 1;
}

static inline int st_find_or_match(lua_State *L, int finds) {
    size_t n, k;
    const char *s = luaL_checklstring(L, 1, &n);
    const char *p = luaL_checklstring(L, 2, &k);
    size_t from = st_offset(luaL_optinteger(L, 3, 1), n);
    if (from > n) {
        lua_pushnil(L);
        return 1;
    }
    if (finds) {
        int is_plain = lua_toboolean(L, 4);
        if (!is_plain) {
            size_t i = 0;
            while (i < k && (p[i] == 0 || strchr("^$*+?.([%-", p[i]) == NULL)) i++;
            is_plain = i == k;
        }
        if (is_plain) return st_find_text(L, s, n, from, p, k);
    }
    st_matcher m;
    st_prepare(&m, L, s, n, p, k);
    int is_anchored = k > 0 && *p == '^';
    for (const char *start = s + from; start <= m.end; start++) {
        const char *e = st_match_at(&m, start, p + is_anchored);
        if (e != NULL) {
            if (!finds) return st_push_captures(&m, start, e);
            lua_pushinteger(L, start - s + 1);
            lua_pushinteger(L, e - s);
            return st_push_captures(&m, NULL, NULL) + 2;
        }
        if (is_anchored) break;
    }
    lua_pushnil(L);
    return 1;
}

static inline int st_string_find(lua_State *L) { return st_find_or_match(L, 1); }
static inline int st_string_match(lua_State *L) { return st_find_or_match(L, 0); }

/* Upvalues: subject, pattern, offset of the next try, end of the last match (-1: none). */
static inline int st_gmatch_next(lua_State *L) {
    size_t n, k;
    const char *s = lua_tolstring(L, lua_upvalueindex(1), &n);
    const char *p = lua_tolstring(L, lua_upvalueindex(2), &k);
    size_t from = (size_t)lua_tointegerx(L, lua_upvalueindex(3), NULL);
    lua_Integer last = lua_tointegerx(L, lua_upvalueindex(4), NULL);
    st_matcher m;
    st_prepare(&m, L, s, n, p, k);
    for (; from <= n; from++) {
        const char *e = st_match_at(&m, s + from, p);
        if (e == NULL || e - s == last) continue;
        lua_pushinteger(L, e - s);
        lua_pushvalue(L, -1);
        lua_replace(L, lua_upvalueindex(3));
        lua_replace(L, lua_upvalueindex(4));
        return st_push_captures(&m, s + from, e);
    }
    lua_pushinteger(L, (lua_Integer)n + 1); /* stays at its end */
    lua_replace(L, lua_upvalueindex(3));
    return 0;
}

static inline int st_string_gmatch(lua_State *L) {
    size_t n;
    luaL_checklstring(L, 1, &n);
    luaL_checkstring(L, 2);
    size_t from = st_offset(luaL_optinteger(L, 3, 1), n);
    lua_settop(L, 2);
    lua_pushinteger(L, (lua_Integer)(from > n ? n + 1 : from));
    lua_pushinteger(L, -1);
    lua_pushcclosure(L, st_gmatch_next, 4);
    return 1;
}

/* Adds what a match is replaced by; whether that changes anything. */
static inline int st_add_replacement(st_matcher *m, luaL_Buffer *b, const char *s, const char *e,
                                     int kind) {
    lua_State *L = m->L;
    if (kind == LUA_TSTRING || kind == LUA_TNUMBER) {
        size_t n;
        const char *text = lua_tolstring(L, 3, &n);
        for (size_t i = 0; i < n; i++) {
            if (text[i] != '%') {
                luaL_addchar(b, text[i]);
                continue;
            }
            i++;
            if (i < n && text[i] == '%') {
                luaL_addchar(b, '%');
            } else if (i < n && text[i] == '0') {
                luaL_addlstring(b, s, (size_t)(e - s));
            } else if (i < n && isdigit((unsigned char)text[i])) {
                st_push_capture(m, text[i] - '1', s, e);
                luaL_tolstring(L, -1, NULL);
                lua_remove(L, -2);
                luaL_addvalue(b);
            } else {
                luaL_error(L, "invalid use of '%%' in replacement string");
            }
        }
        st_charge(L, n / 16);
        return 1;
    }
    if (kind == LUA_TFUNCTION) {
        lua_pushvalue(L, 3);
        lua_call(L, st_push_captures(m, s, e), 1);
    } else {
        st_push_capture(m, 0, s, e);
        lua_gettable(L, 3);
    }
    if (!lua_toboolean(L, -1)) {
        lua_settop(L, -2);
        luaL_addlstring(b, s, (size_t)(e - s));
        return 0;
    }
    if (!lua_isstring(L, -1))
        return luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
    luaL_addvalue(b);
    return 1;
}

static inline int st_string_gsub(lua_State *L) {
    size_t n, k;
    const char *s = luaL_checklstring(L, 1, &n);
    const char *p = luaL_checklstring(L, 2, &k);
    int kind = lua_type(L, 3);
    luaL_argexpected(L,
                     kind == LUA_TNUMBER || kind == LUA_TSTRING || kind == LUA_TFUNCTION ||
                         kind == LUA_TTABLE,
                     3, "string/function/table");
    lua_Integer most = luaL_optinteger(L, 4, (lua_Integer)n + 1);
    int is_anchored = k > 0 && *p == '^', changed = 0;
    lua_Integer count = 0;
    const char *last = NULL;
    st_matcher m;
    luaL_Buffer b;
    st_prepare(&m, L, s, n, p, k);
    luaL_buffinit(L, &b);
    const char *at = s;
    while (count < most) {
        const char *e = st_match_at(&m, at, p + is_anchored);
        if (e != NULL && e != last) {
            count++;
            changed |= st_add_replacement(&m, &b, at, e, kind);
            at = last = e;
        } else if (at < m.end) {
            luaL_addchar(&b, *at);
            at++;
        } else {
            break;
        }
        if (is_anchored) break;
    }
    if (changed) {
        luaL_addlstring(&b, at, (size_t)(m.end - at));
        luaL_pushresult(&b);
    } else {
        lua_pushvalue(L, 1);
    }
    lua_pushinteger(L, count);
    return 2;
}

/* Goes on as the standard function in upvalue 1, in its place, so that its errors name the caller's
 * line. For functions that have no upvalues of their own. */
static inline int st_call_standard(lua_State *L) {
    return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

/* Upvalue 1: the standard one, which repeats nothing as often as it is told to. */
static inline int st_string_rep(lua_State *L) {
    size_t n, k = 0;
    luaL_checklstring(L, 1, &n);
    lua_Integer count = luaL_checkinteger(L, 2);
    luaL_optlstring(L, 3, "", &k);
    if (count <= 0 || n + k == 0) {
        lua_pushliteral(L, "");
        return 1;
    }
    return st_call_standard(L);
}

/* ---- The functions of the table library ----------------------------------------------------- */

/* As lua_geti and its like do, for tables and what acts as one. */
static inline void st_check_table(lua_State *L, int index, int needs_length) {
    if (lua_type(L, index) == LUA_TTABLE) return;
    static const char *const fields[] = {"__index", "__newindex", "__len"};
    for (int i = 0; i < (needs_length ? 3 : 2); i++) {
        if (luaL_getmetafield(L, index, fields[i]) == LUA_TNIL) {
            luaL_checktype(L, index, LUA_TTABLE); /* raises */
            return;
        }
        lua_settop(L, -2);
    }
}

/* t[to] = t[from] */
static inline void st_move_one(lua_State *L, int t, lua_Integer from, lua_Integer to) {
    lua_geti(L, t, from);
    lua_seti(L, t, to);
}

static inline int st_table_insert(lua_State *L) {
    st_check_table(L, 1, 1);
    lua_Integer end = (lua_Integer)((lua_Unsigned)luaL_len(L, 1) + 1);
    int arguments = lua_gettop(L);
    if (arguments == 2) {
        lua_seti(L, 1, end);
        return 0;
    }
    if (arguments != 3) return luaL_error(L, "wrong number of arguments to 'insert'");
    lua_Integer place = luaL_checkinteger(L, 2);
    luaL_argcheck(L, (lua_Unsigned)place - 1u < (lua_Unsigned)end, 2, "position out of bounds");
    st_charge(L, (size_t)(end - place));
    for (lua_Integer i = end; i > place; i--) st_move_one(L, 1, i - 1, i);
    lua_seti(L, 1, place);
    return 0;
}

static inline int st_table_remove(lua_State *L) {
    st_check_table(L, 1, 1);
    lua_Integer size = luaL_len(L, 1);
    lua_Integer place = luaL_optinteger(L, 2, size);
    if (place != size)
        luaL_argcheck(L, (lua_Unsigned)place - 1u <= (lua_Unsigned)size, 2,
                      "position out of bounds");
    if (place < size) st_charge(L, (size_t)(size - place));
    lua_geti(L, 1, place);
    for (; place < size; place++) st_move_one(L, 1, place + 1, place);
    lua_pushnil(L);
    lua_seti(L, 1, place);
    return 1;
}

/* Upvalue 1: the standard one. */
static inline int st_table_move(lua_State *L) {
    int is_from, is_to;
    lua_Integer from = lua_tointegerx(L, 2, &is_from), to = lua_tointegerx(L, 3, &is_to);
    if (is_from && is_to && to >= from)
        st_charge(L, (size_t)((lua_Unsigned)to - (lua_Unsigned)from));
    return st_call_standard(L);
}

/* Upvalue 1: the standard one. The elements may be a metamethod's, so that there are as many as are
 * asked for. The standard function asks for the length again, and goes by the last element it is given. */
static inline int st_table_concat(lua_State *L) {
    lua_settop(L, 4);
    if (lua_isnil(L, 4) && (lua_type(L, 1) == LUA_TTABLE || luaL_getmetafield(L, 1, "__len"))) {
        lua_settop(L, 3);
        lua_pushinteger(L, luaL_len(L, 1));
    }
    lua_settop(L, 4);
    int is_first, is_last;
    lua_Integer first = lua_tointegerx(L, 3, &is_first), last = lua_tointegerx(L, 4, &is_last);
    if (!is_first) first = 1;
    if (is_last && last >= first)
        st_charge(L, (size_t)((lua_Unsigned)last - (lua_Unsigned)first));
    return st_call_standard(L);
}

/* Upvalue 1: the standard one. A length of the script's own could be any, and be asked for twice. */
static inline int st_table_sort(lua_State *L) {
    if (luaL_getmetafield(L, 1, "__len") != LUA_TNIL)
        return luaL_error(L, "table.sort takes no tables with __len in the sandbox");
    if (lua_type(L, 1) == LUA_TTABLE) st_charge(L, 2 * (size_t)lua_rawlen(L, 1));
    return st_call_standard(L);
}

/* ---- Functions that are right as they are, and not for nothing ------------------------------------ */

/* Counts the texts a function reads. Upvalue 1: the standard one. */
static inline int st_read_texts(lua_State *L) {
    size_t bytes = 0;
    for (int i = lua_gettop(L); i > 0; i--)
        if (lua_type(L, i) == LUA_TSTRING) bytes += (size_t)lua_rawlen(L, i);
    st_charge(L, bytes / 16);
    return st_call_standard(L);
}

/* Upvalue 1: the standard one, which puts at most a million values on the stack. */
static inline int st_table_unpack(lua_State *L) {
    int is_first, is_last;
    lua_Integer first = lua_tointegerx(L, 2, &is_first), last = lua_tointegerx(L, 3, &is_last);
    if (!is_last && lua_type(L, 1) == LUA_TTABLE) last = (lua_Integer)lua_rawlen(L, 1);
    if (!is_first) first = 1;
    if (last > first) {
        size_t count = (size_t)((lua_Unsigned)last - (lua_Unsigned)first);
        st_charge(L, count < 1000000 ? count : 1000000);
    }
    return st_call_standard(L);
}

/* Upvalue 1: the standard one, which looks at everything there is. */
static inline int st_collect_garbage(lua_State *L) {
    st_charge(L, st_shared_of(L)->used / 64);
    return st_call_standard(L);
}

/* setmetatable without finalizers: Lua runs them with hooks off, so that nothing could end them.
 * Upvalue 1: the standard one. */
static inline int st_setmetatable_checked(lua_State *L) {
    if (lua_type(L, 2) == LUA_TTABLE) {
        lua_pushliteral(L, "__gc");
        if (lua_rawget(L, 2) != LUA_TNIL)
            return luaL_error(L, "setmetatable: __gc is not allowed in the sandbox");
        lua_settop(L, -2);
    }
    return st_call_standard(L);
}

/* load of texts only. Upvalue 1: the standard one. */
static inline int st_load_text(lua_State *L) {
    if (lua_gettop(L) == 0) return st_call_standard(L); /* says what is missing */
    int arguments = lua_gettop(L) < 3 ? 3 : lua_gettop(L);
    lua_settop(L, arguments);
    if (strchr(luaL_optstring(L, 3, "bt"), 't') == NULL) {
        lua_pushnil(L);
        lua_pushliteral(L, "load: bytecode is not allowed in the sandbox");
        return 2;
    }
    lua_pushliteral(L, "t");
    lua_replace(L, 3);
    return st_call_standard(L);
}

/* ---- Errors and coroutines ---------------------------------------------------------------------- */

/* Whether the value at index is the error of an interrupt or of the instruction limit. */
static inline int st_is_stop(lua_State *L, int index) {
    st_shared *s = st_shared_of(L);
    index = lua_absindex(L, index);
    if (!lua_checkstack(L, 2)) return 1;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &s->key_interrupt);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &s->key_limit);
    int is = lua_rawequal(L, index, -1) || lua_rawequal(L, index, -2);
    lua_settop(L, -3);
    return is;
}

/* The hook raises with hooks off, and a handler would run like that. Upvalue 1: the handler. */
static inline int st_handler(lua_State *L) {
    lua_settop(L, 1);
    if (st_is_stop(L, 1)) return 1;
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, 1, 1);
    return 1;
}

static inline int st_pass_on(lua_State *L, int status, lua_KContext context) {
    (void)status;
    (void)context;
    return lua_gettop(L);
}

/* Upvalue 1: the standard one. */
static inline int st_xpcall(lua_State *L) {
    luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_pushvalue(L, 2);
    lua_pushcclosure(L, st_handler, 1);
    lua_replace(L, 2);
    int arguments = lua_gettop(L);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_callk(L, arguments, LUA_MULTRET, 0, st_pass_on);
    return lua_gettop(L);
}

/* What coroutine.wrap returns. A thread that the hook has ended keeps hooks off: its variables that
 * want to be closed are not, since nothing could end the functions that do it.
 * Upvalue 1: the thread. */
static inline int st_wrapped(lua_State *L) {
    lua_State *thread = lua_tothread(L, lua_upvalueindex(1));
    int given = lua_gettop(L), count = 0;
    if (!lua_checkstack(thread, given)) return luaL_error(L, "too many arguments to resume");
    lua_xmove(L, thread, given);
    int status = lua_resume(thread, L, given, &count);
    if (status == LUA_OK || status == LUA_YIELD) {
        if (!lua_checkstack(L, count + 1)) {
            lua_settop(thread, -count - 1);
            return luaL_error(L, "too many results to resume");
        }
        lua_xmove(thread, L, count);
        return count;
    }
    if (!st_is_stop(thread, -1) && lua_status(thread) != LUA_OK &&
        lua_status(thread) != LUA_YIELD)
        status = lua_resetthread(thread);
    lua_checkstack(L, 2);
    lua_xmove(thread, L, 1);
    if (status != LUA_ERRMEM && lua_type(L, -1) == LUA_TSTRING) {
        luaL_where(L, 1);
        lua_insert(L, -2);
        lua_concat(L, 2);
    }
    return lua_error(L);
}

/* Upvalue 1: coroutine.create. */
static inline int st_wrap(lua_State *L) {
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushvalue(L, 1);
    lua_call(L, 1, 1);
    lua_pushcclosure(L, st_wrapped, 1);
    return 1;
}

/* Upvalue 1: the standard one. */
static inline int st_close_thread(lua_State *L) {
    st_charge(L, 1);
    int arguments = lua_gettop(L);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, arguments, LUA_MULTRET);
    return lua_gettop(L);
}

/* ---- Opening --------------------------------------------------------------------------------- */

/* Replaces a function of the table on top by one that has the old one as upvalue. */
static inline void st_wrap_field(lua_State *L, const char *name, lua_CFunction function) {
    lua_getfield(L, -1, name);
    lua_pushcclosure(L, function, 1);
    lua_setfield(L, -2, name);
}

static inline int st_do_opensandbox(lua_State *L) {
    static const luaL_Reg strings[] = {{"find", st_string_find},
                                       {"match", st_string_match},
                                       {"gmatch", st_string_gmatch},
                                       {"gsub", st_string_gsub},
                                       {NULL, NULL}};
    static const luaL_Reg tables[] = {
        {"insert", st_table_insert}, {"remove", st_table_remove}, {NULL, NULL}};
    lua_settop(L, 0);
    lua_getglobal(L, "string");
    luaL_setfuncs(L, strings, 0);
    st_wrap_field(L, "rep", st_string_rep);
    static const char *const reading[] = {"byte", "format", "lower", "reverse", "unpack", "upper"};
    for (size_t i = 0; i < sizeof reading / sizeof *reading; i++)
        st_wrap_field(L, reading[i], st_read_texts);
    lua_settop(L, 0);
    lua_getglobal(L, "utf8");
    static const char *const decoding[] = {"codepoint", "len", "offset"};
    for (size_t i = 0; i < sizeof decoding / sizeof *decoding; i++)
        st_wrap_field(L, decoding[i], st_read_texts);
    lua_settop(L, 0);
    lua_getglobal(L, "table");
    luaL_setfuncs(L, tables, 0);
    st_wrap_field(L, "move", st_table_move);
    st_wrap_field(L, "concat", st_table_concat);
    st_wrap_field(L, "unpack", st_table_unpack);
    st_wrap_field(L, "sort", st_table_sort);
    lua_settop(L, 0);
    lua_pushglobaltable(L);
    st_wrap_field(L, "setmetatable", st_setmetatable_checked);
    st_wrap_field(L, "load", st_load_text);
    st_wrap_field(L, "tonumber", st_read_texts);
    st_wrap_field(L, "collectgarbage", st_collect_garbage);
    st_wrap_field(L, "xpcall", st_xpcall);
    lua_getglobal(L, "coroutine");
    lua_getfield(L, -1, "create");
    lua_pushcclosure(L, st_wrap, 1);
    lua_setfield(L, -2, "wrap");
    st_wrap_field(L, "close", st_close_thread);
    return 0;
}

/* Replaces what the limits could not hold; the libraries are open. */
static inline int st_opensandbox(lua_State *L) {
    lua_pushcfunction(L, st_do_opensandbox);
    return lua_pcall(L, 0, 0, 0);
}

#endif
