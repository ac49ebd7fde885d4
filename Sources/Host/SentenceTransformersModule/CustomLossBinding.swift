// `st.losses.Custom`: a loss whose mathematics is a Lua function. Called by the trainer for every
// batch; trials that train side by side take turns in the script.

import LuaBridge
import Training

func addCustomLoss(to module: LuaModule, _ progress: Progress) {
    module.function(
        "Custom",
        [
            .required("model", .object("SentenceTransformer"), "The model that is trained."),
            .required(
                "loss_function", .function,
                "Gets a sequence with one matrix of embeddings for each text column, and the matrix"
                    + " of labels or nil; gives a matrix of one number."),
            .keyword("name", .string, "Custom", "What messages and the model card call it."),
        ], doc: "A loss written in Lua; gradients are taken of what the function computes."
    ) { args in
        let function: LuaFunction = try args["loss_function"]
        let name: String = try args["name"]
        let loss = CustomLoss(
            name: name, place: { function.reference.state.currentPlace },
            { columns, labels in
                try function.reference.state.borrow {
                    try progress.suspended {
                        try inCallback(name) { try call(function, name, columns, labels) }
                    }
                }
            })
        return LossObject(loss, try args["model"])
    }
}

private func call(
    _ function: LuaFunction, _ name: String, _ columns: [DifferentiableMatrix],
    _ labels: DifferentiableMatrix?
) throws -> DifferentiableMatrix {
    let result: LuaValue = try function.call(columns, labels?.value)
    if let matrix = result.object(as: DifferentiableMatrix.self) { return matrix }
    if let matrix = result.object(as: Matrix.self) { return DifferentiableMatrix(matrix) }
    let hint = result.number == nil ? "" : "; leave out item()"
    throw LuaError.message(
        "\(name): expected the function to return a matrix of one number, got"
            + " \(result.typeName)\(hint)")
}
