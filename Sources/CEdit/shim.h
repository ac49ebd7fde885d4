/* libedit for Swift: its variadic calls. Its own interface and not the readline one, because only
 * there a signal ends the reading of a line. */
#ifndef ST_CEDIT_SHIM_H
#define ST_CEDIT_SHIM_H

#include <histedit.h>
#include <stdio.h>

static inline EditLine *st_edit_init(const char *program) {
    return el_init(program, stdin, stdout, stderr);
}

static inline void st_edit_setup(EditLine *editor, History *lines, char *(*prompt)(EditLine *)) {
    el_set(editor, EL_PROMPT, prompt);
    el_set(editor, EL_EDITOR, "emacs");
    el_set(editor, EL_HIST, history, lines);
    el_set(editor, EL_SIGNAL, 0); /* Ctrl-C is the program's */
    el_set(editor, EL_BIND, "^R", "em-inc-search-prev", NULL);
    el_source(editor, NULL);      /* the user's ~/.editrc */
}

/* Tab calls `complete`, which finds `owner` with st_edit_owner. */
static inline void st_edit_complete(
    EditLine *editor, void *owner, unsigned char (*complete)(EditLine *, int)) {
    el_set(editor, EL_CLIENTDATA, owner);
    el_set(editor, EL_ADDFN, "st-complete", "complete the word at the cursor", complete);
    el_set(editor, EL_BIND, "^I", "st-complete", NULL);
}

static inline void *st_edit_owner(EditLine *editor) {
    void *owner = NULL;
    el_get(editor, EL_CLIENTDATA, &owner);
    return owner;
}

static inline void st_history_size(History *lines, HistEvent *event, int count) {
    history(lines, event, H_SETSIZE, count);
    history(lines, event, H_SETUNIQUE, 1);
}

static inline void st_history_enter(History *lines, HistEvent *event, const char *line) {
    history(lines, event, H_ENTER, line);
}

#endif
