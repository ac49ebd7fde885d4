import Testing
import Training

@Suite struct CustomLossTests {
    private func batch(_ columns: Int, labels: LossLabels? = nil, isTraining: Bool = true)
        -> LossBatch
    {
        let matrix = Matrix(rows: 7 * columns, columns: 33)
        for row in 0..<matrix.rows {
            for column in 0..<33 {
                matrix[row, column] = Float((row * 131 + column * 17 + row * column) % 97) / 48 - 1
            }
        }
        return LossBatch(
            embeddings: matrix, columns: columns, labels: labels, wantsGradient: isTraining)
    }

    private let ranking = CustomLoss { columns, _ in
        let documents = try DifferentiableMatrix.concat(Array(columns[1...]))
        let scores = try columns[0].cosineSimilarity(documents).mul(DifferentiableMatrix(20))
        return try scores.crossEntropy(Array(0..<columns[0].rows))
    }

    @Test(arguments: [2, 3, 5])
    func `the ranking loss written anew has the values and gradients of the built-in one`(
        _ columns: Int
    ) throws {
        let batch = batch(columns)
        let builtIn = try MultipleNegativesRankingLoss().evaluate(batch)
        let custom = try ranking.evaluate(batch)
        #expect(isClose(custom.value, builtIn.value, relative: 1e-6))
        let difference = firstDifference(
            try #require(custom.gradient).values, try #require(builtIn.gradient).values,
            relative: 1e-5, absolute: 1e-7)
        #expect(difference == nil, "\(difference ?? "")")
        let evaluated = try ranking.evaluate(self.batch(columns, isTraining: false))
        #expect(evaluated.value == custom.value && evaluated.gradient == nil)
    }

    @Test func `labels come as a matrix with a row for each row`() throws {
        let loss = CustomLoss { columns, labels in
            let labels = try #require(labels)
            #expect(labels.rows == 7 && labels.columns == 2 && labels.value[3, 1] == 7)
            return try columns[0].mean(.columns).mul(labels.sum(.columns)).sum()
        }
        let labels = LossLabels((0..<14).map(Float.init), width: 2)
        let result = try loss.evaluate(batch(1, labels: labels))
        #expect(isClose(Double(try #require(result.gradient)[3, 5]), 13.0 / 33, relative: 1e-6))
    }

    @Test func `what can't be learnt from is refused with the reason`() throws {
        typealias D = DifferentiableMatrix
        func message(_ body: @escaping CustomLoss.Body) -> String {
            let loss = CustomLoss(place: { "loss.lua:3" }, body)
            do {
                let result = try loss.evaluate(batch(2))
                return "no error, but \(result.value)"
            } catch {
                return "\(error)"
            }
        }
        #expect(
            message { columns, _ in columns[0] }
                == "Custom: expected the function to return one number, got a matrix of 7x33; end with mean() or sum()"
        )
        #expect(
            message { columns, _ in try columns[0].detach().sum() }
                == "Custom: the value returned does not depend on the embeddings, so nothing can be learnt from it; compute it from the matrices that the function gets, without detach()"
        )
        #expect(
            message { columns, _ in try columns[0].mul(D(0)).log().mean() }
                == "Custom: the loss is -inf; the first value that is not finite comes from 'log' at loss.lua:3; log of 0, division by 0 and rows masked entirely give such values"
        )
        #expect(
            message { columns, _ in try columns[0].mul(D(0)).sqrt().mean() }
                == "Custom: the loss is 0.0, but the gradient of 'sqrt' at loss.lua:3 is not finite; sqrt, log and division near 0 need a small number added"
        )
        let other = Tape()
        let stray = other.variable(Matrix(rows: 7, columns: 33))
        #expect(
            message { _, _ in try stray.sum() }
                == "Custom: the function returned a matrix of another step; compute it from the matrices that the function gets, without detach()"
        )
        #expect(
            message { columns, _ in try columns[0].add(stray).sum() }
                == "add: a matrix of another step (7x33) is used; matrices of a loss live for one batch; keep a copy with detach()"
        )
    }
}
