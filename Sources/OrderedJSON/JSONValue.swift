public enum OrderedJSONPlaceholder {}
