/* libyaml for Swift: what an event carries, out of its union. */
#ifndef ST_CYAML_SHIM_H
#define ST_CYAML_SHIM_H

#include <stdbool.h>
#include <yaml.h>

static inline const char *st_yaml_anchor(const yaml_event_t *event) {
    switch (event->type) {
    case YAML_ALIAS_EVENT: return (const char *)event->data.alias.anchor;
    case YAML_SCALAR_EVENT: return (const char *)event->data.scalar.anchor;
    case YAML_SEQUENCE_START_EVENT: return (const char *)event->data.sequence_start.anchor;
    case YAML_MAPPING_START_EVENT: return (const char *)event->data.mapping_start.anchor;
    default: return NULL;
    }
}

static inline const unsigned char *st_yaml_text(const yaml_event_t *event) {
    return event->data.scalar.value;
}

static inline size_t st_yaml_length(const yaml_event_t *event) {
    return event->data.scalar.length;
}

/* Written without quotes: its type follows its text. */
static inline bool st_yaml_is_plain(const yaml_event_t *event) {
    return event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && event->data.scalar.plain_implicit;
}

#endif
