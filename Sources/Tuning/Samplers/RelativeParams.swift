// What workers tell each other about running trials: the values that a sampler has drawn for one
// before the objective asks for them.

import OrderedJSON

/// Databases have short columns for system attributes.
private let attributeLimit = 2045

/// Notes the values for other workers, to whom this trial is a running one: as JSON in pieces,
/// `key:0`, `key:1`, ….
func shareRelativeParams(
    _ values: NamedValues<ParameterValue>, key: String, _ study: StudyContext, _ trial: FrozenTrial
) throws {
    let members = JSONObject(values.map { ($0.name, $0.value.jsonValue) })
    let text = Array(JSONValue(members).json().utf8)
    for (index, start) in stride(from: 0, to: text.count, by: attributeLimit).enumerated() {
        let piece = text[start..<min(start + attributeLimit, text.count)]
        try study.storage.setTrialSystemAttribute(
            trial.trialID, "\(key):\(index)", .string(String(decoding: piece, as: UTF8.self)))
    }
}

/// What a running trial has suggested so far, on top of what its worker drew for it. A note that
/// can't be read (another worker may be writing it) is ignored.
func plannedParams(of trial: FrozenTrial, key: String) -> NamedValues<ParameterValue> {
    var text = ""
    for index in 0... {
        let piece = trial.systemAttrs["\(key):\(index)"]?.stringValue
        guard let piece, !piece.isEmpty else { break }
        text += piece
    }
    guard !text.isEmpty, let members = (try? JSONValue.parse(text))?.objectValue else {
        return trial.params
    }
    var params = NamedValues<ParameterValue>()
    for (name, value) in members { params[name] = ParameterValue(value) }
    for (name, value) in trial.params { params[name] = value }
    return params
}
