// The Lua class ClassLabel: what `ds.features.label` is for a column of classes.

import LuaBridge
import OrderedJSON
import Training

/// Names of classes as scripts hold them.
final class ClassLabelObject: LuaObject, Sendable {
    let label: ClassLabel

    init(_ label: ClassLabel) { self.label = label }
}

func classLabelClass() -> LuaClass<ClassLabelObject> {
    LuaClass<ClassLabelObject>(
        "ClassLabel",
        doc:
            "Classes of a column: the rows hold their numbers, from 0 as in Python; -1 is no class."
    )
    .property(
        "names", .sequence(.string), doc: "The name of class 0 first.", get: { $0.label.names }
    )
    .property("num_classes", .integer, get: { $0.label.names.count })
    .property("dtype", .string, doc: "How the numbers are stored.", get: { _ in "int64" })
    .method(
        "int2str",
        [
            .required(
                "values", .union([.integer, .sequence(.integer), .object("Column")]),
                "Class numbers, from 0.")
        ],
        doc: "The name of a class, or a sequence of names for a sequence of numbers."
    ) { object, arguments in
        let value: LuaValue = try arguments["values"]
        if let number = value.integer {
            return LuaResults(try object.label.name(of: number))
        }
        let column = value.object(as: ColumnObject.self)
        let numbers: [Int] = try column?.integers() ?? arguments["values"]
        return LuaResults([try numbers.map(object.label.name)])
    }
    .method(
        "str2int",
        [
            .required(
                "values", .union([.string, .sequence(.string), .object("Column")]), "Class names.")
        ],
        doc: "The number of a class, or a sequence of numbers for a sequence of names."
    ) { object, arguments in
        let value: LuaValue = try arguments["values"]
        if let name = value.string { return LuaResults(try object.label.number(of: name)) }
        let column = value.object(as: ColumnObject.self)
        let names: [String] = try column?.texts() ?? arguments["values"]
        return LuaResults([try names.map(object.label.number)])
    }
    .tostring { FeatureType.classLabel($0.label.names).description }
}

/// What `ds.features` has for a column: a name of a type, or an object where there are classes.
enum FeatureValue: IntoLua {
    case name(String)
    case label(ClassLabelObject)

    init(_ type: FeatureType) throws {
        if case .classLabel(let names) = type {
            self = .label(ClassLabelObject(try ClassLabel(names: names)))
        } else {
            self = .name(type.name)
        }
    }

    func push(onto stack: LuaStack) throws {
        switch self {
        case .name(let name): try name.push(onto: stack)
        case .label(let label): try label.push(onto: stack)
        }
    }
}
